"""Sending: records gathered into producer batches, one per partition, many per request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hub.kernel.settings import Settings


class Batches:
    """Records of one chunk, by topic and partition, in order.

    Args:
        producer: An aiokafka producer.
        settings: For the topic prefix.
    """

    def __init__(self, producer: Any, settings: Settings) -> None:
        self._producer = producer
        self._settings = settings
        self._open: dict[tuple[str, int], Any] = {}
        self._full: list[tuple[tuple[str, int], Any]] = []

    def add(
        self,
        topic: str,
        part: int,
        key: bytes | None,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
    ) -> None:
        """Append a record.

        Args:
            topic: Without prefix.
            part: Partition.
            key: Record key.
            value: Record value.
            headers: Record headers.

        Raises:
            ValueError: the record alone is larger than a batch may be.
        """
        place = topic, part
        if not isinstance(headers, list):
            headers = list(headers)
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = self._producer.create_batch()
        if batch.append(key=key, value=value, timestamp=None, headers=headers) is not None:
            return
        self._full.append((place, batch))
        batch = self._open[place] = self._producer.create_batch()
        if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
            raise ValueError(f"a record for {topic} is larger than a batch")

    def holds(self, prefix: str) -> bool:
        """Whether a record for a topic with this beginning is among them."""
        return any(topic.startswith(prefix) for topic, _ in self._open)

    async def deliver(self) -> None:
        """Send everything and wait until the broker has it.

        A batch is handed over only once the one before it on its partition is acknowledged: where
        one fails, no later record has arrived before an earlier one.

        Raises:
            aiokafka.errors.KafkaError: a record may not have arrived; every send has ended.
        """
        while self._full or self._open:
            wave: dict[tuple[str, int], Any] = {}
            rest = []
            for place, batch in self._full:
                if place in wave:
                    rest.append((place, batch))
                else:
                    wave[place] = batch
            self._full = rest
            waiting = {place for place, _ in rest}
            for place in [p for p in self._open if p not in wave and p not in waiting]:
                wave[place] = self._open.pop(place)
            acks = [await self._hand_over(place, batch) for place, batch in wave.items()]
            for outcome in await asyncio.gather(*acks, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome

    async def send(self) -> list[Any]:
        """Hand everything over in order.

        Returns:
            Futures of the broker's acknowledgements.
        """
        everything = (*self._full, *self._open.items())
        acks = [await self._hand_over(place, batch) for place, batch in everything]
        self._full.clear()
        self._open.clear()
        return acks

    async def _hand_over(self, place: tuple[str, int], batch: Any) -> Any:
        topic, part = place
        batch.close()
        wire = self._settings.wire(topic)
        # A dead-letter topic may have fewer partitions than the topic it serves.
        parts = len(await self._producer.partitions_for(wire)) or 1
        return await self._producer.send_batch(batch, wire, partition=part % parts)
