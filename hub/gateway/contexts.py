"""Context: what every part of the gateway shares, made once and closed once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Annotated

import asyncpg
from fastapi import Depends, Request

from hub.gateway.brokers import BrokerLink
from hub.gateway.keys import KeyRing
from hub.gateway.metrics import Metrics
from hub.gateway.rates import Buckets
from hub.gateway.samples import Sampler
from hub.gateway.sessions import Sessions
from hub.kernel.clocks import clock_from, epoch_ms
from hub.kernel.person_keys import RouteKey
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.runtime.channel_secrets import ChannelSecrets
from hub.runtime.dead_men import watched
from hub.sdk.manifests import Item, Manifest, load_manifests
from hub.sdk.mappings import Mapper, load_mapper
from hub.sdk.profiles import Profile, load_profile
from hub.store.connections import pool

SESSION_SECRET = "k_session"  # noqa: S105 - the secret's name
_CONNECTIONS = 8


class Gateway:
    """Settings, database, broker, keys, declarations and figures of one gateway.

    Args:
        settings: Of this process.
        kafka: Bootstrap servers.
        database: DSN.

    Raises:
        ConfigurationError: a secret, manifest or setting is wrong.
    """

    def __init__(self, settings: Settings, kafka: str, database: str) -> None:
        self.settings = settings
        self.clock = clock_from(settings.clock, synthetic_people=settings.synthetic_people)
        self.kafka, self.database = kafka, database
        secrets = Secrets.load(settings, ("k_route", SESSION_SECRET))
        self.route = RouteKey(secrets.k_route)
        self.sessions = Sessions(secrets[SESSION_SECRET].reveal(), self.now)
        self.manifests: dict[str, Manifest] = load_manifests(settings)
        self._mappers: dict[str, Mapper] = {}
        self.metrics = Metrics()
        self.buckets = Buckets(settings.gateway_rate)
        self.records = Buckets(settings.gateway_records)
        self.broker = BrokerLink(kafka, settings)
        self.pool: asyncpg.Pool
        self.keys: KeyRing
        self.sampler: Sampler

    def now(self) -> int:
        """Ms since 1970, by the hub's clock."""
        return epoch_ms(self.clock.now())

    def item(self, connector: str, name: str) -> Item | None:
        """A declared item."""
        manifest = self.manifests.get(connector)
        items = manifest.items if manifest else ()
        return next((item for item in items if item.id == name), None)

    def mapper(self, item: Item) -> Mapper:
        """The structure and function of an item's records, loaded when first asked for.

        Raises:
            ConfigurationError: the connector's code is wrong.
        """
        if item.topic not in self._mappers:
            self._mappers[item.topic] = load_mapper(self.manifests[item.connector], item)
        return self._mappers[item.topic]

    @cached_property
    def profile(self) -> Profile:
        """The jurisdiction's rules with their sentences.

        Raises:
            ConfigurationError: no such profile, or it is wrong.
        """
        return load_profile(self.settings.profile, self.settings.profiles_dir)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connect; a broker or database that is away now is tried again later."""
        self.pool = await pool(self.database, size=_CONNECTIONS)
        self.keys = KeyRing(self.pool, self.settings)
        self.sampler = Sampler(self.kafka, self.pool, self.settings, self.now)
        self.broker.start()
        try:
            async with watched(self.database, self.now, ChannelSecrets(self.settings)):
                yield
        finally:
            await self.sampler.close()
            await self.broker.close()
            await self.pool.close()


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves a request."""
    found: Gateway = request.app.state.gateway
    return found


Context = Annotated[Gateway, Depends(gateway_of)]
