"""Bench grounds: topics and a database of their own for one run, made as a release makes them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

import aiokafka
import asyncpg
import msgspec
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.contracts.catalogues import catalogue
from hub.contracts.provisions import apply
from hub.embedded.databases import drop_database, make_database
from hub.embedded.services import Services
from hub.kernel.settings import Settings
from hub.runtime.clients import producer
from hub.runtime.sending import Batches
from hub.store.connections import connect
from hub.store.migrations import migrate

_CHUNK = 4000
_NUMBERS = count(1)


class Input(NamedTuple):
    """One record to be put on the broker; read like a consumer's record by a pipeline."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    timestamp: int = 0
    offset: int = 0


class Ground:
    """Topics and database of one run.

    Attributes:
        settings: Of whatever runs here: addresses, prefix, keys.
        services: Broker and database.
        db: A connection for looking.
    """

    def __init__(self, settings: Settings, services: Services, db: asyncpg.Connection) -> None:
        self.settings = settings
        self.services = services
        self.db = db
        self._reader: Any = None

    async def load(self, records: Iterable[Input]) -> None:
        """Put records on the broker, in order."""
        sender = producer(self.settings.kafka)
        await sender.start()
        left = iter(records)
        while chunk := list(islice(left, _CHUNK)):
            batches = Batches(sender, self.settings)
            for one in chunk:
                batches.add(one.topic, one.partition, one.key, one.value, one.headers)
            await asyncio.gather(*await batches.send())
        await sender.stop()

    async def made(self, topics: Iterable[str]) -> int:
        """How many records lie in topics."""
        return sum((await self.ends(topics)).values())

    async def ends(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """Partition → offset after its last record; topics without prefix."""
        if self._reader is None:
            self._reader = aiokafka.AIOKafkaConsumer(bootstrap_servers=self.settings.kafka)
            await self._reader.start()
        partitions = [
            TopicPartition(self.settings.wire(name), part)
            for name in topics
            for part in range(self.partitions(name))
        ]
        found: dict[TopicPartition, int] = await self._reader.end_offsets(partitions)
        return found

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        declared = catalogue().topics.get(topic)
        return (declared.partitions if declared else None) or self.settings.partitions

    async def close(self) -> None:
        """Let go of the broker and the database."""
        if self._reader is not None:
            await self._reader.stop()
        await self.db.close()


@asynccontextmanager
async def ground(
    settings: Settings, services: Services, *, extra: Sequence[str] = (), **values: Any
) -> AsyncIterator[Ground]:
    """A ground; its topics and database are dropped at the end.

    Args:
        settings: Of the bench.
        services: Broker and database to measure on.
        extra: Further topics, without prefix.
        values: Settings that differ for this run.
    """
    dsn = await make_database(services.database)
    own = settings.model_copy(
        update={
            "kafka": services.kafka,
            "database": dsn,
            "topic_prefix": f"bench{os.getpid()}-{next(_NUMBERS)}-",
            "synthetic_people": True,
            **values,
        }
    )
    try:
        async with _admin(own) as admin:
            await _topics(own, admin, extra)
        db = await connect(dsn)
        await migrate(db)
        made = Ground(own, services, db)
        try:
            yield made
        finally:
            await made.close()
    finally:
        # A client of its own: one that did nothing for minutes may have lost its connection.
        async with _admin(own) as admin:
            # Programs may have made topics of their own, such as changelogs.
            there = await admin.list_topics()
            await admin.delete_topics([one for one in there if one.startswith(own.topic_prefix)])
        await drop_database(services.database, dsn)


@asynccontextmanager
async def _admin(own: Settings) -> AsyncIterator[Any]:
    client = AIOKafkaAdminClient(bootstrap_servers=own.kafka)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def _topics(own: Settings, admin: Any, extra: Sequence[str]) -> None:
    declared = [
        msgspec.structs.replace(topic, name=own.wire(topic.name))
        for topic in catalogue().topics.values()
    ]
    await apply(own.kafka, declared, own.partitions, own.replication)
    if extra:
        await admin.create_topics(
            [NewTopic(own.wire(name), own.partitions, own.replication) for name in extra]
        )


def environment(settings: Settings) -> dict[str, str]:
    """Variables with which a process of the hub takes these settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    for name, value in settings.model_dump().items():
        if value is True:
            own[f"HUB_{name.upper()}"] = "1"
        elif value not in {None, "", False}:
            text = value.absolute() if isinstance(value, Path) else value
            own[f"HUB_{name.upper()}"] = str(text)
    return own
