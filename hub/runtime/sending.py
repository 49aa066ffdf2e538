"""Sending: records gathered into producer batches, one per partition, many per request."""

from __future__ import annotations

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

    async def send(self) -> list[Any]:
        """Hand everything over in order.

        Returns:
            Futures of the broker's acknowledgements.
        """
        acks = []
        for (topic, part), batch in (*self._full, *self._open.items()):
            batch.close()
            wire = self._settings.wire(topic)
            # A dead-letter topic may have fewer partitions than the topic it serves.
            parts = len(await self._producer.partitions_for(wire)) or 1
            acks.append(await self._producer.send_batch(batch, wire, partition=part % parts))
        self._full.clear()
        self._open.clear()
        return acks
