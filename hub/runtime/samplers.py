"""Samplers: the loop that takes a picture every five seconds and keeps the history.

One process of all does it, by an advisory lock; another one takes over when that one is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import asyncpg
import structlog

from hub.kernel import working_days
from hub.kernel.clocks import clock_from, epoch_ms
from hub.kernel.settings import Settings
from hub.monitoring.histories import points
from hub.monitoring.pictures import Picture, encode
from hub.monitoring.rates import WINDOW_MS
from hub.runtime.broker_soundings import BrokerSoundings
from hub.runtime.sampling import Sampling
from hub.runtime.tasters import Taster
from hub.sdk.manifests import Manifest, load_manifests
from hub.store import pictures
from hub.store.connections import close, connect, is_fault

SECONDS = 5.0
_STATEMENT = "2s"
_RETRY_SECONDS = 2.0
Seen = Callable[[Picture], Awaitable[None]]

log = structlog.get_logger(__name__)


async def _unseen(picture: Picture) -> None:
    del picture


class Sampler:
    """The sampler of one process.

    Args:
        settings: Of this process.
        kafka: Bootstrap servers.
        database: DSN.
        seen: Told of every picture; metrics and alerts hang on it.
        seconds: Between pictures.
        manifests: What departments promise; None: the declared ones.
        window: Rates are means over so many ms.
    """

    def __init__(
        self,
        settings: Settings,
        kafka: str,
        database: str,
        *,
        seen: Seen = _unseen,
        seconds: float = SECONDS,
        manifests: Mapping[str, Manifest] | None = None,
        window: int = WINDOW_MS,
    ) -> None:
        self._settings, self._database = settings, database
        self._clock = clock_from(settings.clock, synthetic_people=settings.synthetic_people)
        self._broker = BrokerSoundings(kafka, settings)
        self._taster = Taster(kafka, settings)
        self._seen, self._seconds = seen, seconds
        self._manifests = manifests or load_manifests(settings)
        self._window = window
        path = Path(settings.working_days) if settings.working_days else None
        self._calendar = working_days.load(path)

    async def run(self, stop: asyncio.Event) -> None:
        """Take pictures until told to stop; faults of the services are ridden out."""
        while not stop.is_set():
            db: asyncpg.Connection | None = None
            try:
                db = await connect(self._database, statement_timeout=_STATEMENT)
                if await pictures.lock(db):
                    await self._watch(db, stop)
                else:
                    await _pause(stop, _RETRY_SECONDS)
            except Exception as error:
                if not is_fault(error):
                    raise
                log.warning("sampler.fault", kind=type(error).__name__)
                await _pause(stop, _RETRY_SECONDS)
            finally:
                await close(db)
        await self._broker.close()
        await self._taster.close()

    async def _watch(self, db: asyncpg.Connection, stop: asyncio.Event) -> None:
        sampling = Sampling(
            db,
            self._broker,
            self._taster,
            self._settings,
            self._manifests,
            self._calendar,
            self._window,
        )
        number = await pictures.number(db)
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not stop.is_set():
            number += 1
            picture = await sampling.look(number, epoch_ms(self._clock.now()))
            await pictures.write(db, number, picture.at, encode(picture))
            await self._keep(db, picture)
            await self._seen(picture)
            due = max(due + self._seconds, loop.time())
            await _pause(stop, due - loop.time())

    async def _keep(self, db: asyncpg.Connection, picture: Picture) -> None:
        values = points(picture)
        for level in pictures.LEVELS:
            # The coarser levels take every so-manyth picture as it is.
            if level.number == 0 or picture.at % level.step < self._seconds * 1000:
                await pictures.append(db, level, picture.at, values)
        if picture.number % 60 == 0:
            await pictures.forget(db, picture.at)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), max(0.0, seconds))
    except TimeoutError:
        return
