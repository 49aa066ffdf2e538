"""Readings: what an operator reads off the start page, in Chinese words."""

from __future__ import annotations

import asyncio
import re
import time
from typing import NamedTuple

from tests.browser.browsers import Seat


class Reading(NamedTuple):
    """A cause, and the words that tell it; ``who`` is the department, program or topic."""

    cause: str
    words: re.Pattern[str]


READINGS = (
    # A connector that ended also makes its department silent: the nearer cause comes first.
    Reading("connector", re.compile(r"^(?P<who>.+)的连接器已 .+ 没有心跳")),
    Reading("id-number", re.compile(r"^(?P<who>.+)有 [0-9,]+ 条记录成为死信:E-ID")),
    Reading("cut-off", re.compile(r"^(?P<who>.+)有 [0-9,]+ 条记录成为死信:E-JSON")),
    Reading("code", re.compile(r"^(?P<who>.+)有 [0-9,]+ 条记录成为死信:E-CODE")),
    Reading("backlog", re.compile(r"^(?P<who>.+?)的.+突增")),
    Reading("receiver", re.compile(r"^(?P<who>.+)自 .+ 前起未收到")),
    Reading("partition", re.compile(r"(?P<who>(?:event|in)\.[a-z-]+(?:\.[a-z-]+)?).* 停止处理")),
    Reading("source", re.compile(r"^(?P<who>.+?)的.+已 .+ 没有新数据")),
)
_RED = ".finding.bad b, .finding.worst b"
_ANY = ".finding b"
_LONGEST = 120.0
_SETTLE = 8.0


async def red(seat: Seat) -> set[str]:
    """The red sentences of the start page, without their numbers."""
    return {_plain(text) for text in await _told(seat, _RED)}


async def told(seat: Seat) -> set[str]:
    """All sentences of the start page, without their numbers."""
    return {_plain(text) for text in await _told(seat, _ANY)}


async def diagnosis(seat: Seat, known: set[str], *, mild: bool = False) -> tuple[str, str, str]:
    """Wait for a red sentence that was not there before.

    Args:
        seat: On the start page.
        known: Sentences that were there before.
        mild: Whether sentences that are not red count as well.

    Returns:
        Cause, who, and the sentence.
    """
    which = _ANY if mild else _RED
    # A sentence may go again with the next picture: whatever was read counts.
    seen: dict[str, None] = {}
    until = time.monotonic() + _LONGEST
    while time.monotonic() < until:
        new = [one for one in await _told(seat, which) if _plain(one) not in known]
        if new and not seen:
            until = time.monotonic() + _SETTLE
        seen |= dict.fromkeys(new)
        await asyncio.sleep(0.3)
    assert seen, f"nothing is told but {known}"
    for reading in READINGS:
        for sentence in seen:
            if found := reading.words.search(sentence):
                return reading.cause, found["who"], sentence
    raise AssertionError(f"no known words in {list(seen)}")


async def _told(seat: Seat, which: str) -> list[str]:
    return [text.strip() for text in await seat.page.locator(which).all_inner_texts()]


def _plain(sentence: str) -> str:
    return re.sub(r"[0-9][0-9,.]*|–", "#", re.sub(r"已 .+? (没有|没)", "已 # 没有", sentence))
