"""Browses: bounded walks through the records of one topic, forward or from its end."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

from hub.runtime.originals import Log

SCANNED = 5_000
"""Records that one walk reads at most."""
PATIENCE = 6.0
"""Seconds after which a walk stops where it is."""
_CHUNK, _LEAST = 400, 8


class Start(NamedTuple):
    """Where a walk begins.

    Attributes:
        kind: ``newest``, ``oldest``, ``offset`` or ``time``.
        value: The offset, or ms since 1970.
    """

    kind: str
    value: int = 0


class Walk(NamedTuple):
    """What a walk gave.

    Attributes:
        found: Records that matched, in the order of the walk.
        scanned: How many were read.
        whole: Whether it came to the end of what there is.
    """

    found: list[Any]
    scanned: int
    whole: bool


async def walk(
    log: Log,
    topic: str,
    parts: Sequence[int],
    start: Start,
    *,
    limit: int,
    matches: Callable[[Any], bool],
    scanned: int = SCANNED,
) -> Walk:
    """Read until enough records match, enough were read, or nothing is left.

    Args:
        log: Reads topics.
        topic: As it is called on the cluster.
        parts: Partitions.
        start: Where to begin.
        limit: Matches wanted.
        matches: Whether a consumer's record is wanted.
        scanned: Records read at most.
    """
    found: list[Any] = []
    count, until = 0, time.monotonic() + PATIENCE
    backwards = start.kind == "newest"
    async for chunk in _chunks(log, topic, parts, start):
        chunk.sort(key=lambda one: (one.timestamp, one.partition, one.offset), reverse=backwards)
        for record in chunk[: scanned - count]:
            count += 1
            if matches(record):
                found.append(record)
                if len(found) == limit:
                    return Walk(found, count, whole=False)
        if count >= scanned or time.monotonic() > until:
            return Walk(found, count, whole=False)
    return Walk(found, count, whole=True)


async def _chunks(
    log: Log, topic: str, parts: Sequence[int], start: Start
) -> AsyncIterator[list[Any]]:
    """The next records of every partition together, so that their times can be compared."""
    bounds = await log.all_bounds(topic, parts)
    ranges = {part: await _range(log, topic, part, start, bounds[part]) for part in parts}
    size = max(_LEAST, _CHUNK // max(1, len(parts)))
    while ranges:
        wanted: dict[int, tuple[int, int]] = {}
        for part, (first, last) in list(ranges.items()):
            begin, end, ranges[part] = _cut(first, last, size, backwards=start.kind == "newest")
            wanted[part] = begin, end
            if ranges[part][0] >= ranges[part][1]:
                del ranges[part]
        yield await log.spans(topic, wanted)


def _cut(first: int, last: int, size: int, *, backwards: bool) -> tuple[int, int, tuple[int, int]]:
    """Begin and end of the next chunk, and what is left after it."""
    if backwards:
        begin = max(first, last - size)
        return begin, last, (first, begin)
    end = min(last, first + size)
    return first, end, (end, last)


async def _range(
    log: Log, topic: str, part: int, start: Start, bounds: tuple[int, int]
) -> tuple[int, int]:
    first, last = bounds
    if start.kind == "offset":
        return max(first, min(start.value, last)), last
    if start.kind == "time":
        since = await log.since(topic, part, start.value)
        return (last if since is None else max(first, since)), last
    return first, last
