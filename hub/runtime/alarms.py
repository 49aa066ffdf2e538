"""Alarms: raised at once in metrics and log, and put on record as soon as the database answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from hub.runtime.metrics import ALARMS
from hub.store import alarms as store
from hub.store.connections import close, connect, is_fault

_AGAIN_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Alarms:
    """The alarms of one worker.

    Args:
        database: Address.
        now: ms since 1970, by the hub's clock.
    """

    def __init__(self, database: str, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now
        self._waiting: list[tuple[str, str, str, int]] = []
        self._bell = asyncio.Event()

    def sound(self, kind: str, place: str, detail: str) -> None:
        """Raise an alarm; never fails.

        Args:
            kind: See :mod:`hub.kernel.alarms`.
            place: What it is about; never a person.
            detail: Short text without personal data.
        """
        log.critical(kind, place=place, detail=detail)
        ALARMS.labels(kind).inc()
        self._waiting.append((kind, place, detail, self._now()))
        self._bell.set()

    async def keep(self, stopping: asyncio.Event) -> None:
        """Put alarms on record until the worker stops; what the database refuses waits."""
        ending = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                ring = asyncio.create_task(self._bell.wait())
                await asyncio.wait({ring, ending}, return_when=asyncio.FIRST_COMPLETED)
                ring.cancel()
                self._bell.clear()
                if not await self._write():
                    self._bell.set()
                    await asyncio.wait({ending}, timeout=_AGAIN_SECONDS)
            await self._write()
        finally:
            ending.cancel()

    async def _write(self) -> bool:
        connection = None
        try:
            while self._waiting:
                connection = connection or await connect(self._database)
                kind, place, detail, at = self._waiting[0]
                await store.sound(connection, kind, place, detail, now=at)
                self._waiting.pop(0)
        except Exception as error:
            if not is_fault(error):
                raise
            return False
        finally:
            await close(connection)
        return True
