"""Tasters: a few of the canonical events as they pass, for stamps and first hops; bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from hub.contracts.codecs import decode_event
from hub.kernel.errors import DataError
from hub.kernel.settings import Settings
from hub.monitoring.offsets import Place
from hub.monitoring.time_quality import Seen

MOST = 300
"""Events decoded for one picture; in a burst the rest is passed over, and counted."""


class Taste(NamedTuple):
    """What was tasted.

    Attributes:
        events: In the order of each partition.
        passed: Records that went by unread.
    """

    events: list[Seen]
    passed: int


class Taster:
    """Follows the ends of ``event.*``.

    Args:
        bootstrap: Bootstrap servers.
        settings: For the topic prefix.
    """

    def __init__(self, bootstrap: str, settings: Settings) -> None:
        self._bootstrap, self._settings = bootstrap, settings
        self._consumer: AIOKafkaConsumer | None = None
        self._assigned: set[TopicPartition] = set()

    async def close(self) -> None:
        """Let go."""
        consumer, self._consumer = self._consumer, None
        self._assigned = set()
        if consumer is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(consumer.stop(), 2)

    async def taste(self, places: Iterable[Place]) -> Taste:
        """Events since the last call, as many as one picture may cost.

        Raises:
            aiokafka.errors.KafkaError: the broker is away.
        """
        wanted = {
            TopicPartition(self._settings.wire(topic), part)
            for topic, part in places
            if topic.startswith("event.")
        }
        consumer = await self._follow(wanted)
        if consumer is None:
            return Taste([], 0)
        found: list[Seen] = []
        loop = asyncio.get_running_loop()
        until = loop.time() + 0.3
        while len(found) < MOST and loop.time() < until:
            polled = await consumer.getmany(timeout_ms=50, max_records=MOST - len(found))
            if not polled:
                break
            found += [one for records in polled.values() for one in map(_seen, records) if one]
        return Taste(found, await self._skip(consumer) if len(found) >= MOST else 0)

    async def _follow(self, wanted: set[TopicPartition]) -> AIOKafkaConsumer | None:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                client_id="hub-taster",
                enable_auto_commit=False,
                max_partition_fetch_bytes=1 << 17,
            )
            await consumer.start()
            self._consumer = consumer
        if wanted and wanted != self._assigned:
            self._consumer.assign(sorted(wanted))
            await self._consumer.seek_to_end(*wanted)
            self._assigned = wanted
        return self._consumer if self._assigned else None

    async def _skip(self, consumer: AIOKafkaConsumer) -> int:
        ends = await consumer.end_offsets(list(self._assigned))
        passed = 0
        for place, end in ends.items():
            position = await consumer.position(place)
            if end > position:
                passed += end - position
                consumer.seek(place, end)
        return passed


def _seen(record: object) -> Seen | None:
    value, timestamp = getattr(record, "value", None), getattr(record, "timestamp", 0)
    try:
        event = decode_event(value or b"")
    except DataError:
        return None
    return Seen(
        event.source,
        event.event_id,
        event.occurred_at,
        event.recorded or timestamp,
        timestamp,
        event.uid or b"",
    )
