"""Offset targets: the words an operator writes for a place in a log."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from hub.kernel.clocks import SHANGHAI, epoch_ms
from hub.kernel.errors import HubError
from hub.runtime.originals import Log
from hub.store.claims import Place
from hub.store.holds import Hold

_SHIFT = re.compile(r"[+-][0-9]{1,15}")
_OFFSET = re.compile(r"[0-9]{1,18}")


class Bounds(NamedTuple):
    """What the log of a partition keeps: first offset and end."""

    first: int
    last: int


async def resolve(log: Log, claim: Hold, bounds: Bounds, word: str) -> int:
    """The offset that a word means for one partition.

    Args:
        log: Finds instants.
        claim: Where the partition stands.
        bounds: What is kept.
        word: ``earliest``, ``latest``, an instant, an offset, or a shift such as ``-100``.

    Raises:
        HubError: none of these, or outside the log.
    """
    if word == "earliest":
        return bounds.first
    if word == "latest":
        return bounds.last
    if _SHIFT.fullmatch(word):
        return _inside(claim.next_offset + int(word), bounds, claim)
    if _OFFSET.fullmatch(word):
        return _inside(int(word), bounds, claim)
    found = await log.since(claim.topic, claim.part, _instant(word))
    return bounds.last if found is None else found


def _inside(offset: int, bounds: Bounds, claim: Hold) -> int:
    if bounds.first <= offset <= bounds.last:
        return offset
    raise HubError(
        f"{offset} is outside the log of {claim.topic}/{claim.part},"
        f" which keeps {bounds.first} to {bounds.last}.",
        message_zh=f"{offset} 不在 {claim.topic}/{claim.part} 的日志范围 "
        f"{bounds.first} 至 {bounds.last} 之内。",
    )


def _instant(word: str) -> int:
    try:
        found = datetime.fromisoformat(word)
    except ValueError:
        raise HubError(
            f"{word} is no place in a log.",
            hint="Write earliest, latest, 2025-04-01T08:00, an offset, or a shift such as -100.",
            message_zh=f"{word} 不是位移;"
            "可写 earliest、latest、2025-04-01T08:00、位移数或 -100 等增减量。",
        ) from None
    return epoch_ms(found if found.tzinfo else found.replace(tzinfo=SHANGHAI))


def from_csv(lines: Iterable[str]) -> dict[Place, str]:
    """Partitions and their words out of lines ``topic,partition,offset``; a head is optional.

    Raises:
        HubError: a line has another form, or a partition comes twice.
    """
    found: dict[Place, str] = {}
    for number, row in enumerate(csv.reader(lines), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[:1] == ["topic"]):
            continue
        if len(cells) != 3 or not cells[1].isdigit() or (cells[0], int(cells[1])) in found:
            raise HubError(
                f"Line {number} is not topic,partition,offset, or its partition comes twice.",
                message_zh=f"第 {number} 行不是 topic,partition,offset,或分区重复。",
            )
        found[cells[0], int(cells[1])] = cells[2]
    return found
