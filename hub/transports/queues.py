"""Queues: a department's own Kafka topic, read by offset and re-keyed at the edge.

A null key is normal there. Bodies pass unchanged, also those that are no JSON: intake tells the
department what is wrong with them. The position is ``{"<partition>": next offset}``.
"""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from hub.kernel.errors import HubError
from hub.kernel.failpoints import Hit, passed
from hub.sdk.ways import QueueOptions
from hub.transports.cursors import CursorStore, Position
from hub.transports.publishers import Published, RecordSink
from hub.transports.records import RecordMaker

BATCH = 500
"""Records published together; the cursor moves after each batch."""

_log = structlog.get_logger(__name__)


class QueueReader:
    """Reads one item's topic; connects at the first poll, leaves at the end of the context.

    Args:
        bootstrap: The department's brokers.
        options: Of the manifest. A group named there only shows the position to the
            department's tools; the cursor is what counts.
        maker: Makes the raw records.
        sink: Publishes them.
        cursors: Keeps the offsets.
        hit: Told of every failpoint that is passed.
    """

    def __init__(
        self,
        bootstrap: str,
        options: QueueOptions,
        maker: RecordMaker,
        sink: RecordSink,
        cursors: CursorStore,
        *,
        hit: Hit = passed,
    ) -> None:
        self._bootstrap = bootstrap
        self._options = options
        self._maker = maker
        self._sink = sink
        self._cursors = cursors
        self._hit = hit
        self._consumer: AIOKafkaConsumer | None = None
        self._position: Position = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Leave the brokers; a later poll connects again."""
        consumer, self._consumer = self._consumer, None
        if consumer:
            await consumer.stop()

    async def poll(self) -> Published:
        """Publish everything that stood in the topic when the call began.

        Raises:
            HubError: the department's topic is not there.
            aiokafka.errors.KafkaError: a broker failed; poll again.
        """
        try:
            return await self._poll(await self._connected())
        except KafkaError:
            await self.close()
            raise

    async def _poll(self, consumer: AIOKafkaConsumer) -> Published:
        parts = await self._assigned(consumer)
        ends = await consumer.end_offsets(parts)
        await self._seek(consumer, parts)
        done = Published()
        # The position moves past markers of transactions too, which are no records.
        while [part for part in parts if await consumer.position(part) < ends[part]]:
            found = await consumer.getmany(timeout_ms=200, max_records=BATCH)
            records = [record for part in sorted(found) for record in found[part]]
            if records:
                done = await self._forward(consumer, parts, records, done)
        return done

    async def _forward(
        self,
        consumer: AIOKafkaConsumer,
        parts: list[TopicPartition],
        records: list[ConsumerRecord],
        done: Published,
    ) -> Published:
        self._hit("src.read")
        raw = [self._maker.of_body(record.value or b"") for record in records]
        published = await self._sink.publish(raw)
        self._hit("src.published")
        offsets = {part: await consumer.position(part) for part in parts}
        self._position = {str(part.partition): offset for part, offset in offsets.items()}
        feed = self._maker.feed
        await self._cursors.save(feed.connector, f"{feed.item}.queue", self._position)
        self._hit("src.cursor")
        if self._options.group:
            with suppress(KafkaError):
                await consumer.commit(offsets)
        return Published(done.sent + published.sent, done.refused + published.refused)

    async def _assigned(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        topic = self._options.topic
        # The consumer learns of partitions added later once it has some of the topic's.
        known = consumer.partitions_for_topic(topic) if consumer.assignment() else None
        if not known:
            known = await _partitions(self._bootstrap, topic)
        if not known:
            raise HubError(
                f"The topic {topic} of {self._maker.feed.connector} is not there.",
                hint="Ask the department for its name and the right to read it.",
                message_zh=f"部门主题 {topic} 不存在或无权读取,请联系部门核实。",
            )
        parts = [TopicPartition(topic, number) for number in sorted(known)]
        if consumer.assignment() != set(parts):
            consumer.assign(parts)
        return parts

    async def _seek(self, consumer: AIOKafkaConsumer, parts: list[TopicPartition]) -> None:
        feed = self._maker.feed
        self._position = await self._cursors.load(feed.connector, f"{feed.item}.queue")
        begins = await consumer.beginning_offsets(parts)
        for part in parts:
            offset = self._position.get(str(part.partition), 0)
            if 0 < offset < begins[part]:
                _log.error(
                    "queue_gap",
                    item=feed.item,
                    partition=part.partition,
                    lost=begins[part] - offset,
                    hint="The department's topic dropped records before they were read.",
                )
            consumer.seek(part, max(offset, begins[part]))

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                client_id=f"hub-connector-{self._maker.feed.connector}",
                group_id=self._options.group or None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                fetch_max_wait_ms=100,
                metadata_max_age_ms=60_000,
            )
            await self._consumer.start()
        return self._consumer


async def _partitions(bootstrap: str, topic: str) -> set[int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (found,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    return {part["partition"] for part in found["partitions"]}
