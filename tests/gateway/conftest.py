"""A gateway on a socket of its own, with the session's Kafka and a database of its own."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.contracts.catalogues import catalogue
from hub.contracts.provisions import apply
from hub.embedded.databases import drop_database, make_database
from hub.gateway.keys import development_key
from hub.gateway.servers import Served, serving
from hub.kernel.settings import Settings
from hub.store.migrations import migrate

PREFIX = "gw-test-"
TOPICS = ("in.village.reports", "in.hospital.encounters", "in.health.admissions", "event.health")


@dataclasses.dataclass
class Door:
    """A running gateway and what a test needs around it."""

    served: Served
    settings: Settings
    kafka: str
    database: str
    db: asyncpg.Connection

    def key(self, principal: str) -> str:
        return development_key(self.settings, principal)

    def client(self, principal: str | None = None, **values) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.key(principal)}"} if principal else {}
        return httpx.AsyncClient(base_url=self.served.url, headers=headers, timeout=30, **values)

    async def records(self, topic: str) -> list:
        """Every record of a topic, read to its end."""
        name = PREFIX + topic
        consumer = AIOKafkaConsumer(
            name, bootstrap_servers=self.kafka, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            places = [TopicPartition(name, part) for part in consumer.partitions_for_topic(name)]
            ends = await consumer.end_offsets(places)
            found = []
            for place in places:
                while await consumer.position(place) < ends[place]:
                    batch = await consumer.getmany(place, timeout_ms=1000)
                    found += batch.get(place, [])
            return found
        finally:
            await consumer.stop()


@pytest.fixture(scope="session")
async def door(kafka: str, database: str, tmp_path_factory) -> AsyncIterator[Door]:
    dsn = await make_database(database)
    connection = await asyncpg.connect(dsn)
    await migrate(connection)
    folder: Path = tmp_path_factory.mktemp("gateway")
    settings = Settings(
        kafka=kafka, database=dsn, data_dir=folder, synthetic_people=True,
        topic_prefix=PREFIX, gateway_port=0, max_body=20_000, gateway_rate=1000,
    )  # fmt: skip
    wanted = [
        topic
        for topic in catalogue().topics.values()
        if topic.name in TOPICS
        or topic.name in {f"dlq.hub.{name}" for name in TOPICS}
        or topic.name == "program.medical-aid.reply"
    ]
    renamed = [msgspec.structs.replace(topic, name=PREFIX + topic.name) for topic in wanted]
    await apply(kafka, renamed, 2, 1)
    async with serving(settings, kafka=kafka, database=dsn) as served:
        gateway = served.gateway
        while not gateway.broker.ready:  # noqa: ASYNC110 - the broker is opened in the background
            await asyncio.sleep(0.02)
        yield Door(served, settings, kafka, dsn, connection)
    await connection.close()
    await drop_database(database, dsn)
