"""Logs: what stands on a topic, and the ways in which it gets lost."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from hub.contracts.catalogues import catalogue
from hub.contracts.provisions import apply
from tests.faults.harness.plants import delete_topics
from tests.faults.harness.sites import Site

_SECONDS = 30.0
_SHORT = {"retention.ms": "100", "segment.ms": "100"}
_OFFSETS = "__consumer_offsets-*"


class Stands(NamedTuple):
    """A record that stands on a topic."""

    part: int
    off: int
    digest: str
    """SHA-256 of the value."""


async def read(site: Site, topic: str) -> list[Stands]:
    """Everything on a topic now.

    Args:
        site: Where.
        topic: Without prefix.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=site.cluster.direct)
    await consumer.start()
    try:
        name = site.prefix + topic
        parts = [TopicPartition(name, number) for number in range(site.case.partitions)]
        consumer.assign(parts)
        begins = await consumer.beginning_offsets(parts)
        ends = await consumer.end_offsets(parts)
        found: list[Stands] = []
        for part, begin in begins.items():
            consumer.seek(part, begin)
        async with asyncio.timeout(_SECONDS):
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [
                        Stands(one.partition, one.offset, sha256(one.value or b"").hexdigest())
                        for one in records
                    ]
        return found
    finally:
        await consumer.stop()


async def _administered(site: Site, act: Any) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=site.cluster.direct)
    try:
        await client.start()
        await act(client)
    finally:
        await client.close()


async def jump(site: Site, topic: str, starts: Mapping[int, int]) -> None:
    """Somebody deletes the records before these offsets, by partition."""
    wanted = {
        TopicPartition(site.prefix + topic, part): RecordsToDelete(before_offset=off)
        for part, off in starts.items()
    }
    await _administered(site, lambda client: client.delete_records(wanted))


async def expire(site: Site, topic: str) -> None:
    """Retention passes over everything on a topic; then its setting is as before.

    Raises:
        TimeoutError: the broker keeps it.
    """
    await _configured(site, topic, _SHORT)
    async with asyncio.timeout(_SECONDS):
        while await read(site, topic):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.5)
    declared = catalogue().topics[topic].settings()
    await _configured(site, topic, {"segment.ms": "604800000"} | declared)


async def _configured(site: Site, topic: str, values: Mapping[str, str]) -> None:
    resource = ConfigResource(ConfigResourceType.TOPIC, site.prefix + topic, dict(values))
    await _administered(site, lambda client: client.alter_configs([resource]))


async def remake(site: Site, topic: str) -> None:
    """Somebody deletes a topic and makes it again."""
    name = site.prefix + topic
    await delete_topics(site.cluster.direct, "", [name])
    wanted = [msgspec.structs.replace(catalogue().topics[topic], name=name)]
    partitions, replication = site.case.partitions, site.cluster.replication
    await apply(site.cluster.direct, wanted, partitions, replication)


async def lose_offsets(site: Site) -> int:
    """The brokers lose what groups have committed; how many folders were removed."""
    gone = 0
    for node in site.cluster.nodes:
        await node.kill()
        for place in (node.folder / "logs").glob(_OFFSETS):
            shutil.rmtree(place)
            gone += 1
    await site.cluster.whole()
    return gone
