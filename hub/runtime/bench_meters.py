"""Bench meters: CPU and memory of whole process families, read from /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
UNKNOWN = -1.0
"""CPU of a process that runs on another machine."""


class Look(NamedTuple):
    """One look at a run.

    Attributes:
        at: Seconds of the monotonic clock.
        done: Records worked so far.
        cpu: Place → CPU seconds so far; :data:`UNKNOWN` where it runs elsewhere.
    """

    at: float
    done: int
    cpu: Mapping[str, float]


class Meter:
    """Reads the CPU of the places of a run.

    Args:
        places: Place → the processes whose families count there.
    """

    def __init__(self, places: Mapping[str, Sequence[int | None]]) -> None:
        self._places = places

    def look(self, done: int) -> Look:
        """A look now."""
        at = time.perf_counter()
        cpu = {name: sum(map(cpu_seconds, pids)) for name, pids in self._places.items()}
        return Look(at, done, {name: max(UNKNOWN, found) for name, found in cpu.items()})


def micros(first: Look, last: Look) -> dict[str, float]:
    """CPU per record between two looks in µs, by place."""
    events = max(last.done - first.done, 1)
    return {
        name: round((end - first.cpu[name]) / events * 1e6, 2) if end >= 0 else UNKNOWN
        for name, end in last.cpu.items()
    }


def cpu_seconds(pid: int | None) -> float:
    """CPU seconds of a process, its living children and those it has waited for."""
    if pid is None:
        return UNKNOWN
    total = 0
    for number, fields in _stats():
        # After the name: state, parent, …; utime, stime, cutime and cstime stand at 11 to 14.
        if number == pid:
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) == pid:
            total += sum(map(int, fields[11:13]))
    return total / _TICK


def resident_mb(pid: int) -> float:
    """Resident memory of one process in MB; 0 once it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return round(pages * _PAGE / 1e6, 1)


def _stats() -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            yield int(folder.name), text.rpartition(")")[2].split()
