"""Watching: one consumer over many topics from a moment on, without any group's help."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from confluent_kafka import OFFSET_END, Consumer, KafkaException
from confluent_kafka import TopicPartition as Partition

from tests.faults.sites import Site
from tests.faults.verifier.topics import Record

_MANY = 2000


class Watch:
    """Reads from the present ends on; a context.

    Args:
        site: Where the brokers are.
        wanted: Tells by the plain name whether a topic is watched.
    """

    def __init__(self, site: Site, wanted: Callable[[str], bool]) -> None:
        self._prefix = site.prefix
        self._wanted = wanted
        self._consumer = Consumer(
            {
                "bootstrap.servers": site.direct,
                "group.id": f"{site.prefix}witness-{time.monotonic_ns()}",
                "enable.auto.commit": False,
                # A log that was cut is read from its new end, not skipped.
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "log_level": 0,
            }
        )

    def __enter__(self) -> Self:
        found = self._consumer.list_topics(timeout=30).topics
        parts = [
            Partition(name, number, self._end(name, number))
            for name, topic in found.items()
            if name.startswith(self._prefix) and self._wanted(name.removeprefix(self._prefix))
            for number in topic.partitions
        ]
        self._consumer.assign(parts)
        return self

    def _end(self, topic: str, number: int) -> int:
        try:
            # A fixed offset: one that is looked up later would miss what comes meanwhile.
            _, end = self._consumer.get_watermark_offsets(Partition(topic, number), timeout=10)
        except KafkaException:
            return int(OFFSET_END)
        return int(end)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def poll(self, seconds: float) -> list[Record]:
        """What came within a while; errors of brokers are waited out by the client."""
        found = self._consumer.consume(_MANY, timeout=seconds)
        return [record for record in found if record.error() is None]
