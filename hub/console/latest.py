"""Latest: the newest picture in this process, and waiting for the next one.

One listener per process wakes all streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import asyncpg

from hub.kernel.clocks import from_epoch_ms
from hub.monitoring.pictures import Picture, decode
from hub.store import pictures
from hub.store.connections import close, connect, is_fault

STALE_MS = 15_000
_BEAT_SECONDS = 5.0
_RETRY_SECONDS = 2.0


class Pictures:
    """The newest picture, and waiting for the next one.

    Args:
        database: DSN.
    """

    def __init__(self, database: str) -> None:
        self._database = database
        self._next = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._cache: dict[tuple[Any, ...], str] = {}
        self.last: Picture | None = None

    async def start(self) -> None:
        """Listen in the background; the first picture is read at once where there is one."""
        self._task = asyncio.create_task(self._listen(), name="pictures")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        while True:
            connection: asyncpg.Connection | None = None
            try:
                connection = await connect(self._database)
                bell = asyncio.Event()
                await connection.add_listener(pictures.CHANNEL, partial(_ring, bell))
                while True:
                    await self._read(connection)
                    bell.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(bell.wait(), _BEAT_SECONDS)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not is_fault(error):
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                await close(connection)

    async def _read(self, connection: asyncpg.Connection) -> None:
        if self.last and await pictures.number(connection) == self.last.number:
            return
        doc = await pictures.read(connection)
        if doc is None:
            return
        self.last = decode(doc)
        self._cache.clear()
        async with self._next:
            self._next.notify_all()

    async def after(self, number: int) -> Picture | None:
        """The next picture with another number; None: none came in a few seconds."""
        if self.last and self.last.number != number:
            return self.last
        async with self._next:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._next.wait(), _BEAT_SECONDS)
        return self.last if self.last and self.last.number != number else None

    async def once(self, key: tuple[Any, ...], make: Callable[[], Awaitable[str]]) -> str:
        """A text that is the same for everybody until the next picture."""
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = await make()
        return found


def _ring(bell: asyncio.Event, *_notice: object) -> None:
    bell.set()


def clock(picture: Picture | None) -> str:
    """When a picture was taken, Asia/Shanghai."""
    return f"{from_epoch_ms(picture.at):%H:%M:%S}" if picture else "--:--:--"


def is_stale(picture: Picture | None, now: int) -> bool:
    """Whether figures are too old to be called live."""
    return picture is None or now - picture.at > STALE_MS
