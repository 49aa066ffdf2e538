"""Receipts: when and from whom an event came, read from its own record while Kafka keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from hub.contracts.codecs import decode_event
from hub.kernel.errors import DataError
from hub.runtime.originals import RETRY_MS

_PATIENCE = 4.0
LIMIT = 20
"""Records read for one trace."""


class Place(NamedTuple):
    """Where a record lies; the topic as it is called on the cluster."""

    event_id: str
    topic: str
    part: int
    off: int


class Receipt(NamedTuple):
    """The way in of one event; no content.

    Attributes:
        source: Connector id.
        record_key: The source's key of the record; never an ID number.
        recorded: ms since 1970, when the connector made the record.
        correlation: The matter.
    """

    source: str
    record_key: str
    recorded: int
    correlation: str


async def receipts(bootstrap: str, places: Collection[Place]) -> dict[str, Receipt]:
    """Event id → receipt; events whose records have expired, or cannot be reached, are left out."""
    found: dict[str, Receipt] = {}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id="hub-gateway-receipts",
        auto_offset_reset="none",
        # One record at a time is wanted, never a wait for more.
        fetch_max_wait_ms=5,
        fetch_max_bytes=65_536,
        max_partition_fetch_bytes=65_536,
        retry_backoff_ms=RETRY_MS,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            await consumer.start()
            await _read(consumer, list(places)[:LIMIT], found)
    except (KafkaError, OSError):
        # A trace without its first hop is still a trace; TimeoutError is an OSError too.
        pass
    finally:
        await consumer.stop()
    return found


async def _read(
    consumer: AIOKafkaConsumer, places: Collection[Place], found: dict[str, Receipt]
) -> None:
    """Put receipts down as they come, from all partitions together."""
    wanted: dict[TopicPartition, dict[int, Place]] = {}
    for place in places:
        wanted.setdefault(TopicPartition(place.topic, place.part), {})[place.off] = place
    first = await consumer.beginning_offsets(list(wanted))
    for at, each in list(wanted.items()):
        wanted[at] = {off: place for off, place in each.items() if off >= first[at]}
        if not wanted[at]:
            del wanted[at]
    consumer.assign(list(wanted))
    for at, each in wanted.items():
        consumer.seek(at, min(each))
    while wanted:
        for at, records in (await consumer.getmany(*wanted, timeout_ms=1000)).items():
            for record in records:
                asked = wanted[at].get(record.offset)
                if asked and (receipt := _receipt(asked, record.value)):
                    found[asked.event_id] = receipt
            _go_on(consumer, wanted, at, records[-1].offset)


def _go_on(
    consumer: AIOKafkaConsumer,
    wanted: dict[TopicPartition, dict[int, Place]],
    at: TopicPartition,
    read: int,
) -> None:
    """Go to the next record of a partition; what lies behind and did not come is not kept."""
    wanted[at] = {off: place for off, place in wanted[at].items() if off > read}
    if not wanted[at]:
        del wanted[at]
    elif min(wanted[at]) > read + 1:
        consumer.seek(at, min(wanted[at]))


def _receipt(place: Place, value: bytes) -> Receipt | None:
    try:
        event = decode_event(value)
    except DataError:
        return None
    if event.event_id != place.event_id:
        return None
    return Receipt(event.source, event.source_record_key, event.recorded, event.correlation_id)
