"""Publishing raw records: every one acknowledged by all in-sync replicas before a cursor moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hub.transports.records import RawRecord

DLQ_MARGIN = 65_536
"""Bytes that key, headers and framing may add to the largest body."""


class Published(NamedTuple):
    """What one call brought into Kafka, in records; ``refused`` ones as dead letters."""

    sent: int = 0
    refused: int = 0


class RecordSink(Protocol):
    """Takes raw records."""

    async def publish(self, records: Iterable[RawRecord]) -> Published:
        """Return when every record is safe; raise when any may not be."""


class Publisher:
    """At least once: an idempotent producer with ``acks=all``; use it as a context manager.

    Records of one call are sent together and keep their order per key.

    Args:
        bootstrap: Bootstrap servers.
        client: Client id shown by the broker.
        maximum: Bytes of the largest body.
        prefix: ``Settings.topic_prefix``.
    """

    def __init__(
        self, bootstrap: str, client: str, maximum: int = 1_000_000, prefix: str = ""
    ) -> None:
        self._prefix = prefix
        self._bootstrap = bootstrap
        self._client = client
        self._limit = maximum + DLQ_MARGIN
        self._producer: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._producer = await self._started()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        producer, self._producer = self._producer, None
        if producer:
            await producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        # The producer binds to the running loop, so it is made here.
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client,
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_batch_size=1 << 20,
            max_request_size=self._limit,
            request_timeout_ms=20_000,
        )
        await producer.start()
        return producer

    async def publish(self, records: Iterable[RawRecord]) -> Published:
        """Send and wait for all acknowledgements.

        Raises:
            aiokafka.errors.KafkaError: a record may not have arrived; publish all of them again.
        """
        batch = list(records)
        try:
            await self._acknowledged(batch)
        except KafkaError as error:
            # After a gap in its numbers a producer refuses everything; a new one counts anew.
            if not error.retriable:
                await self._renew()
            raise
        refused = sum(bool(record.refused) for record in batch)
        return Published(len(batch) - refused, refused)

    async def _renew(self) -> None:
        async with self._renewing:
            old, self._producer = self._producer, await self._started()
            if old:
                with suppress(TimeoutError, KafkaError):
                    await asyncio.wait_for(old.stop(), 5)

    async def _acknowledged(self, batch: Sequence[RawRecord]) -> None:
        producer = self._producer
        if producer is None:
            raise RuntimeError("A publisher is used inside 'async with'.")
        pending: list[asyncio.Future[object]] = []
        try:
            for record in batch:
                pending.append(  # noqa: PERF401 - what was sent must be known if one send fails
                    await producer.send(
                        self._prefix + record.topic,
                        key=record.key,
                        value=record.value,
                        headers=list(record.headers),
                    )
                )
        finally:
            outcomes = await asyncio.gather(*pending, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
