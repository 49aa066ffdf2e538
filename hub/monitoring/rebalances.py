"""Rebalances: worker events as people read them, and who held how much at each moment.

One worker claims lane by lane, so one rebalance is several events; they are shown as one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.kernel.worker_events import BEGAN, ENDED, HELD, TOOK, WorkerEvent

_TOGETHER_MS = 5_000


class Turn(NamedTuple):
    """One thing that happened.

    Attributes:
        event: Its partitions are those of all events that it stands for.
        unclean: Whether the worker that had this slot before never said that it ended.
    """

    event: WorkerEvent
    unclean: bool = False


class Stretch(NamedTuple):
    """How many partitions a worker held for a while.

    Attributes:
        x: Where it begins, as a share of the span shown.
        width: How long it is, likewise.
        partitions: The count.
    """

    x: float
    width: float
    partitions: int


def turns(events: Sequence[WorkerEvent]) -> list[Turn]:
    """Events, the latest first, with those of one rebalance put together."""
    found: list[WorkerEvent] = []
    for event in events:
        last = found[-1] if found else None
        if last is None or not _same(last, event):
            found.append(event)
            continue
        found[-1] = last._replace(
            partitions=last.partitions + event.partitions,
            stood=last.stood + event.stood,
            epoch=max(last.epoch, event.epoch),
        )
    unclean = _unclean(found)
    return [Turn(one, place in unclean) for place, one in enumerate(found)]


def _same(last: WorkerEvent, event: WorkerEvent) -> bool:
    alike = (last.kind, last.owner, last.former) == (event.kind, event.owner, event.former)
    return alike and last.kind not in (BEGAN, ENDED) and last.at - event.at <= _TOGETHER_MS


def _unclean(events: Sequence[WorkerEvent]) -> set[int]:
    """Places of beginnings in a slot whose former worker never ended."""
    open_slots: set[str] = set()
    found = set()
    for place in reversed(range(len(events))):
        event = events[place]
        if event.kind == ENDED:
            open_slots.discard(event.slot)
        elif event.kind == BEGAN:
            if event.slot in open_slots:
                found.add(place)
            open_slots.add(event.slot)
    return found


def stretches(
    events: Sequence[WorkerEvent], held: Mapping[str, int], since: int, until: int
) -> dict[str, list[Stretch]]:
    """Worker → how much it held over a span, computed back from now.

    Args:
        events: Of the span, the latest first.
        held: Worker → partitions now.
        since: Beginning of the span, ms.
        until: Its end, ms, after ``since``.
    """
    counts = Counter(held)
    ends: dict[str, int] = defaultdict(lambda: until)
    found: dict[str, list[Stretch]] = defaultdict(list)
    span = until - since

    def close(owner: str, at: int) -> None:
        if owner and counts[owner] > 0 and ends[owner] > at:
            x = (at - since) / span
            found[owner].append(Stretch(x, (ends[owner] - at) / span, counts[owner]))
        ends[owner] = at

    for event in events:
        if event.kind not in (TOOK, HELD):
            continue
        at = min(max(event.at, since), until)
        gainer = event.owner if event.kind == TOOK else ""
        if gainer == event.former:
            continue
        for owner, change in ((gainer, -event.partitions), (event.former, event.partitions)):
            close(owner, at)
            counts[owner] += change
    for owner in list(counts):
        close(owner, since)
    return {owner: list(reversed(each)) for owner, each in found.items()}


def ranges(parts: Sequence[int]) -> str:
    """Partition numbers in order, runs as one: ``0–5, 8``."""
    runs: list[list[int]] = []
    for part in parts:
        if runs and part == runs[-1][1] + 1:
            runs[-1][1] = part
        else:
            runs.append([part, part])
    return ", ".join(f"{a}" if a == b else f"{a}–{b}" for a, b in runs)


def label(owner: str) -> str:
    """A worker's name for a screen: machine and process; others as they are."""
    machine, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    return f"{machine.partition('/')[0]} · {pid}" if pid else owner
