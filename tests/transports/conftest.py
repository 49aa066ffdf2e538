"""A department's side: its database, its folder, its topics, and what arrived on ``in.*``."""

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.kernel.clocks import SystemClock
from hub.kernel.person_keys import RouteKey
from hub.transports.cursors import FileCursors
from hub.transports.publishers import Publisher
from hub.transports.records import Feed, RecordMaker
from hub.transports.webhooks import WebhookSender

ROUTE = RouteKey(bytes(range(32)))


class Arrived(NamedTuple):
    key: bytes
    value: bytes
    headers: dict

    @property
    def row(self):
        return orjson.loads(self.value)

    @property
    def event_id(self):
        return self.headers["ce_id"]


class Department(NamedTuple):
    feed: Feed
    maker: RecordMaker
    sink: Publisher
    cursors: FileCursors
    arrived: Callable[[], Awaitable[list[Arrived]]]
    refused: Callable[[], Awaitable[list[Arrived]]]


async def make_topics(kafka: str, *names: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        topics = [
            NewTopic(name, 2, 1, topic_configs={"max.message.bytes": "1200000"}) for name in names
        ]
        await admin.create_topics(topics)
    finally:
        await admin.close()


async def read_topic(kafka: str, topic: str) -> list[Arrived]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for number in range(2)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found = []
        while any([await consumer.position(part) < end for part, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
    finally:
        await consumer.stop()
    found.sort(key=lambda record: (record.timestamp, record.partition, record.offset))
    return [Arrived(record.key, record.value, dict(record.headers)) for record in found]


@pytest.fixture
async def department(kafka: str, tmp_path: Path):
    """A department with an item of its own and topics that exist."""
    topic = f"in.test.{secrets.token_hex(4)}"
    feed = Feed("test", "/gov/320682/test", "item", topic, ("id",), "", "id_number", 1000)
    await make_topics(kafka, topic, feed.dead_letters)
    async with Publisher(kafka, "test", 1000) as sink:
        yield Department(
            feed,
            RecordMaker(feed, ROUTE, SystemClock()),
            sink,
            FileCursors(tmp_path / "cursors"),
            lambda: read_topic(kafka, topic),
            lambda: read_topic(kafka, feed.dead_letters),
        )


@pytest.fixture
async def sender():
    """Sends to receivers on this machine, whatever name their address holds."""

    async def local(_host, _port):
        return ["127.0.0.1"]

    async with WebhookSender(SystemClock(), private=True, resolve=local) as found:
        yield found
