"""Entering records: through the offices, or as raw bytes on a department's own topic."""

from __future__ import annotations

from typing import Self

from aiokafka import AIOKafkaProducer

from hub.cli.demos.stages import Stage
from hub.embedded.city.stories import Entry


class Entering:
    """Use it as a context manager.

    Args:
        stage: Whose offices.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._producer = AIOKafkaProducer(bootstrap_servers=stage.settings.kafka, acks="all")

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._producer.stop()

    async def enter(self, entry: Entry) -> str:
        """Enter; returns the way it took once the department has its acknowledgement."""
        stage = self._stage
        item = stage.manifests[entry.connector].item(entry.item)
        if entry.raw and item.queue:
            await self._producer.send_and_wait(item.queue.topic, entry.raw)
        else:
            await stage.offices.enter(entry.connector, entry.item, *entry.records, way=entry.way)
        return entry.way or item.way.value
