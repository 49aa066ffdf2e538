"""Counts: figures that cost a walk through a day's rows, counted seldom and shown with their time.

Whoever asks first waits; afterwards everybody is shown the last count at once, and where it has
aged a new one is made meanwhile. Files that are evidence are never made from these.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Any, NamedTuple

FRESH_SECONDS = 10.0
OLD_SECONDS = 60.0
"""A count older than this is not shown any more: whoever asks waits for a new one."""
_MOST = 64


class Counted(NamedTuple):
    """A count, and when it was made (ms since 1970)."""

    value: Any
    at: int


class _Kept(NamedTuple):
    counted: Counted
    made: float


class Counts:
    """The last counts of one console process.

    Args:
        now: ms since 1970.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._kept: dict[Hashable, _Kept] = {}
        self._making: dict[Hashable, asyncio.Task[Counted]] = {}

    async def of(self, key: Hashable, make: Callable[[], Awaitable[Any]]) -> Counted:
        """A count; several who ask for the same one share it.

        Args:
            key: What is counted.
            make: Counts it.
        """
        kept = self._kept.get(key)
        age = OLD_SECONDS if kept is None else time.monotonic() - kept.made
        if kept is None or age >= OLD_SECONDS:
            return await asyncio.shield(self._make(key, make))
        if age >= FRESH_SECONDS:
            self._make(key, make)
        return kept.counted

    async def stop(self) -> None:
        """Let nothing go on."""
        for task in list(self._making.values()):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task

    def _make(self, key: Hashable, make: Callable[[], Awaitable[Any]]) -> asyncio.Task[Counted]:
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._made(key, make))
            task.add_done_callback(lambda done: self._done(key, done))
        return task

    async def _made(self, key: Hashable, make: Callable[[], Awaitable[Any]]) -> Counted:
        at = self._now()
        counted = Counted(await make(), at)
        self._kept.pop(key, None)
        self._kept[key] = _Kept(counted, time.monotonic())
        while len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]
        return counted

    def _done(self, key: Hashable, task: asyncio.Task[Counted]) -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            # Whoever waits is told; where nobody does, the next one asks again.
            task.exception()
