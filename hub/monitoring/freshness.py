"""Freshness: whether a department is silent for longer than its cadence allows."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from hub.kernel.working_days import Calendar

SLACK = 1.5
"""A source is late after so many cadences: a nightly file may come at any hour of the night."""
BEAT_MS = 5_000
"""How often a connector tells of itself."""
MISSED_MS = 4 * BEAT_MS


class State(StrEnum):
    """The state of a connector, as its card shows it."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    DEGRADED = "DEGRADED"
    """It runs, but some items fail, or it is silent for longer than expected."""
    FAILED = "FAILED"
    """No item of it can be read, or its heartbeat stopped."""
    UNASSIGNED = "UNASSIGNED"
    """It pushes by itself or was never started: there is no heartbeat to expect."""


class Span(msgspec.Struct, frozen=True):
    """Planned maintenance of a department, ms since 1970."""

    start: int
    end: int


def silence(
    last: int | None, now: int, *, working_days: bool, calendar: Calendar, planned: Iterable[Span]
) -> int | None:
    """For how long a source has said nothing, ms that count; None: it never said anything.

    Args:
        last: When it last said something.
        now: ms since 1970.
        working_days: Only working days count.
        calendar: Which they are.
        planned: Maintenance that does not count either.
    """
    if last is None:
        return None
    measure = calendar.working_ms if working_days else _plain
    total = measure(last, now)
    for span in planned:
        start, end = max(span.start, last), min(span.end, now)
        if end > start:
            total -= measure(start, end)
    return max(0, total)


def _plain(start: int, end: int) -> int:
    return max(0, end - start)


def is_silent(silent: int | None, expected: int) -> bool:
    """Whether a silence is longer than a source's cadence explains."""
    return silent is not None and silent > expected * SLACK


def state(
    *,
    beat_at: int | None,
    now: int,
    paused: bool,
    failing: int,
    items: int,
    silent: bool,
) -> State:
    """The state of a connector.

    Args:
        beat_at: Its last heartbeat; None: it never sent one.
        now: ms since 1970.
        paused: It says that it is paused.
        failing: Items whose last poll failed.
        items: Items it reads.
        silent: Whether some item is silent for too long.
    """
    if beat_at is None:
        return State.DEGRADED if silent else State.UNASSIGNED
    if now - beat_at > MISSED_MS or (items and failing >= items):
        return State.FAILED
    if paused:
        return State.PAUSED
    return State.DEGRADED if failing or silent else State.RUNNING
