"""Tails: the last numbers in receivers' topics, read to see whether the database forgot any."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import aiokafka
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from hub.contracts.cloudevents import GENERATION, SEQUENCE
from hub.store.numberings import MOST, Number

_LOOKED_AT = 100
"""Records from the end of a partition: after a resend the last one need not be the highest."""
_SECONDS = 10.0


async def last_numbers(bootstrap: str, topics: Mapping[str, str]) -> dict[str, Number]:
    """The highest number at the end of each topic.

    Args:
        bootstrap: Broker addresses.
        topics: Name → topic on the wire; one that does not exist or is empty gives nothing.

    Raises:
        TimeoutError: the broker did not give the records; nothing may be numbered then.
        aiokafka.errors.KafkaError: it cannot be reached.
    """
    if not topics:
        return {}
    async with asyncio.timeout(_SECONDS):
        places = await _places(bootstrap, set(topics.values()))
        found = await _found(bootstrap, places) if places else {}
    return {name: found[topic] for name, topic in topics.items() if topic in found}


async def _places(bootstrap: str, topics: set[str]) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics(sorted(topics))
    finally:
        await admin.close()
    return [
        TopicPartition(topic["topic"], part["partition"])
        for topic in described
        for part in topic["partitions"]
    ]


async def _found(bootstrap: str, places: list[TopicPartition]) -> dict[str, Number]:
    client = aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await client.start()
    try:
        client.assign(places)
        return await _read(client, places)
    finally:
        await client.stop()


async def _read(client: Any, places: list[TopicPartition]) -> dict[str, Number]:
    starts, ends = await client.beginning_offsets(places), await client.end_offsets(places)
    for place in places:
        client.seek(place, max(starts[place], ends[place] - _LOOKED_AT))
    found: dict[str, Number] = {}
    waiting = {place for place in places if starts[place] < ends[place]}
    while waiting:
        polled = await client.getmany(*waiting, timeout_ms=1000)
        for place, records in polled.items():
            numbers = [found.get(place.topic, (0, 0)), *_numbers(records)]
            found[place.topic] = max(numbers)
        for place in tuple(waiting):
            if await client.position(place) >= ends[place]:
                waiting.remove(place)
    return {topic: number for topic, number in found.items() if number > (0, 0)}


def _numbers(records: Iterable[Any]) -> Iterable[Number]:
    for record in records:
        headers = dict(record.headers)
        generation, seq = headers.get(GENERATION, b""), headers.get(SEQUENCE, b"")
        if generation.isdigit() and seq.isdigit() and int(generation) <= MOST:
            yield int(generation), int(seq)
