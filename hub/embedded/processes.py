"""Processes: those the hub starts, and those a killed hub left behind.

A process is found again by a pid file, and touched only when its command line names this data
folder: the number may belong to somebody else by now.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from hub.kernel.errors import HubError

_TICK = 0.01
Signals = Iterable[tuple[signal.Signals, float]]
"""Signals to send in turn, each with the seconds to wait for the end afterwards."""


def command_line(pid: int) -> str:
    """The arguments of a process with spaces between; empty when it is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def pid_in(file: Path) -> int | None:
    """The number in the first line of a pid file, or None."""
    try:
        return int(file.read_text().split(maxsplit=1)[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def is_ours(pid: int, marks: Iterable[str]) -> bool:
    """Whether a process lives and its command line holds every mark."""
    line = command_line(pid)
    return bool(line) and all(mark in line for mark in marks)


async def end_orphan(file: Path, marks: Iterable[str], signals: Signals) -> bool:
    """End the process a killed hub left behind, and remove its pid file.

    Args:
        file: The pid file.
        marks: Texts that its command line must hold, e.g. the data folder.
        signals: What to send; the last one must be sure to end it.

    Returns:
        Whether there was one.

    Raises:
        HubError: it did not end.
    """
    pid = pid_in(file)
    found = pid is not None and is_ours(pid, marks)
    if pid is not None and found:
        for number, seconds in signals:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            if await _gone(pid, marks, seconds):
                break
        else:
            raise HubError(
                f"Process {pid} of an earlier hub does not end.",
                hint=f"End it by hand: kill -9 {pid}",
                message_zh=f"上次遗留的进程 {pid} 无法结束,请手工执行:kill -9 {pid}",
            )
    remove(file)
    return found


def remove(file: Path) -> None:
    """Remove a pid file that may be gone already."""
    file.unlink(missing_ok=True)


async def _gone(pid: int, marks: Iterable[str], seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while is_ours(pid, marks):
        if time.monotonic() > limit:
            return False
        await asyncio.sleep(_TICK)
    return True


async def end_child(child: subprocess.Popen[bytes], signals: Signals) -> None:
    """End a child of this process and wait until it is gone; a dead one is only reaped."""
    for number, seconds in signals:
        if child.poll() is None:
            child.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(child.wait, seconds)
    child.poll()


def log_tail(file: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error text."""
    try:
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def open_log(file: Path, limit: int = 8 << 20) -> int:
    """A descriptor to append to a log; one above ``limit`` bytes begins anew."""
    mode = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    if file.exists() and file.stat().st_size > limit:
        mode |= os.O_TRUNC
    return os.open(file, mode, 0o640)
