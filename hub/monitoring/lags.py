"""Lags: whether a group follows its partition, by the rules of LinkedIn's Burrow.

The rules look at a window of the last commits instead of a threshold, so that a busy topic is not
an alarm and a quiet one is. Two deviate: a rewind that has been made up for is over, because
a rebalance may commit an old offset once more; a lag that stands without growing is no warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import pairwise

import msgspec


class Status(IntEnum):
    """How a partition or a group stands; the numbers are Burrow's."""

    NOTFOUND = 0
    OK = 1
    WARN = 2
    """It moves, but the lag never gets smaller."""
    ERR = 3
    """Groups only: the worst of its partitions is worse than WARN."""
    STOP = 4
    """No commits any more."""
    STALL = 5
    """Commits of the same offset again and again."""
    REWIND = 6
    """It went backwards and has not made up for it."""


class Commit(msgspec.Struct, frozen=True):
    """One commit as it was seen.

    Attributes:
        offset: Next offset to read.
        at: ms since 1970.
        lag: End offset minus offset at that time; None: the end was not known.
    """

    offset: int
    at: int
    lag: int | None


def status(
    commits: Sequence[Commit],
    lag: int,
    now: int,
    *,
    ends: Iterable[int] = (),
    allowed: int = 0,
    complete: float = 1.0,
    least_complete: float = 0.0,
) -> Status:
    """The state of one partition.

    Args:
        commits: The window, oldest first, without the missing ones.
        lag: Of this moment.
        now: ms since 1970.
        ends: Recent end offsets of the partition.
        allowed: Lag that is none.
        complete: Share of the window that is filled.
        least_complete: A window with less than this share tells nothing yet.
    """
    if not commits or complete < least_complete or lag <= allowed:
        return Status.OK
    if _stopped(commits, now) and not any(end <= commits[-1].offset for end in ends):
        return Status.STOP
    if rewound(commits):
        return Status.REWIND
    if any(one.lag is not None and one.lag <= allowed for one in commits):
        return Status.OK
    if all(one.offset == commits[0].offset for one in commits):
        return Status.STALL
    return Status.WARN if never_smaller(commits) else Status.OK


def _stopped(commits: Sequence[Commit], now: int) -> bool:
    """Whether the silence is longer than the whole window was."""
    return now - commits[-1].at > commits[-1].at - commits[0].at


def rewound(commits: Sequence[Commit]) -> bool:
    """Whether an offset went back and none since then has reached the former one again."""
    highest = -1
    back_from = None
    for one in commits:
        if back_from is not None and one.offset >= back_from:
            back_from = None
        if back_from is None and one.offset < highest:
            back_from = highest
        highest = max(highest, one.offset)
    return back_from is not None


def never_smaller(commits: Sequence[Commit]) -> bool:
    """Whether the lag grew and never got smaller between two commits.

    A lag that only stands is a pipeline's length, not slowness: no warning, unlike Burrow's rule.
    """
    known = [one.lag for one in commits if one.lag is not None]
    if not known or known[-1] == known[0]:
        return False
    return all(later >= earlier for earlier, later in pairwise(known))


def of_group(partitions: Iterable[Status]) -> Status:
    """The state of a group: its worst partition, at most ERR."""
    worst = max(partitions, default=Status.NOTFOUND)
    return min(worst, Status.ERR)


def slope(commits: Sequence[Commit]) -> float:
    """Change of the lag in records per second, by least squares; 0 where little is known."""
    known = [(one.at / 1000, one.lag) for one in commits if one.lag is not None]
    if len(known) < 2:
        return 0.0
    mean_at = sum(at for at, _ in known) / len(known)
    mean_lag = sum(lag for _, lag in known) / len(known)
    spread = sum((at - mean_at) ** 2 for at, _ in known)
    if spread == 0:
        return 0.0
    return sum((at - mean_at) * (lag - mean_lag) for at, lag in known) / spread


def trend(commits: Sequence[Commit], lag: int) -> int:
    """1: the lag grows, -1: it shrinks, 0: it stays within one per cent over the window."""
    if len(commits) < 2:
        return 0
    seconds = (commits[-1].at - commits[0].at) / 1000
    change = slope(commits)
    if abs(change) * seconds < max(lag, 1) / 100:
        return 0
    return 1 if change > 0 else -1


def seconds_to_drain(lag: int, consumed: float, produced: float) -> float | None:
    """Time until the lag is gone at the present rates (records per second); None: never."""
    if lag <= 0:
        return 0.0
    gain = consumed - produced
    return lag / gain if gain > 0 else None
