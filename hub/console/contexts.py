"""Context: what every page of the console shares, made once and closed once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, cast

import asyncpg
from fastapi import Depends, Request

from hub.console.counts import Counts
from hub.console.latest import Pictures
from hub.console.names import Names
from hub.kernel.clocks import clock_from, epoch_ms
from hub.kernel.settings import Settings
from hub.runtime.channel_secrets import ChannelSecrets
from hub.sdk.manifests import Manifest, load_manifests
from hub.sdk.profiles import Profile
from hub.store.connections import pool

_CONNECTIONS = 6


class Console:
    """Settings, database and declarations of one console process.

    Args:
        settings: Of this process.
        kafka: Bootstrap servers.
        database: DSN.

    Raises:
        ConfigurationError: a manifest or setting is wrong.
    """

    def __init__(self, settings: Settings, kafka: str, database: str) -> None:
        self.settings = settings
        self.kafka, self.database = kafka, database
        self.clock = clock_from(settings.clock, synthetic_people=settings.synthetic_people)
        self.manifests: dict[str, Manifest] = load_manifests(settings)
        self.names = Names(settings, self.manifests)
        self.pictures = Pictures(database)
        self.channel_secrets = ChannelSecrets(settings)
        self.counts = Counts(self.now)
        self.pool: asyncpg.Pool

    def now(self) -> int:
        """Ms since 1970, by the hub's clock."""
        return epoch_ms(self.clock.now())

    @property
    def profile(self) -> Profile:
        """The jurisdiction's rules with their sentences; see :class:`hub.console.names.Names`."""
        return self.names.profile

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection in a transaction: an act and its effect are one."""
        async with self.pool.acquire() as held, held.transaction():
            yield cast("asyncpg.Connection", held)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connect; a database that is away now is tried again by each request."""
        self.pool = await pool(self.database, size=_CONNECTIONS)
        await self.pictures.start()
        try:
            yield
        finally:
            await self.counts.stop()
            await self.pictures.stop()
            await self.pool.close()


def console_of(request: Request) -> Console:
    """The console that serves a request."""
    found: Console = request.app.state.console
    return found


Here = Annotated[Console, Depends(console_of)]
