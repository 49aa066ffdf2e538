"""Kafka: a receiver's inbox topic, read in order, and its reply topic."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import aiokafka

from hub.contracts.cloudevents import event_headers
from hub.contracts.codecs import encode_event
from hub.contracts.events import CanonicalEvent
from hub.sdk.programs.copies import Copy, from_record
from hub.sdk.programs.sequences import Sequences

_POLL_MS = 500
_AT_ONCE = 200


class KafkaInbox:
    """The transport of an inbox that is a topic.

    What was seen stands in the metadata of the group's commit, so a restart knows its number.

    Args:
        program: The receiver.
        bootstrap: Broker addresses.
        prefix: Before every topic and group name.
        group: Name of the group after ``prog.<id>.``.
        options: Further options of the clients, e.g. for SASL.
    """

    def __init__(
        self,
        program: str,
        bootstrap: str,
        *,
        prefix: str = "",
        group: str = "inbox",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._program = program
        self._bootstrap = bootstrap
        self._topic = f"{prefix}program.{program}.inbox"
        self._replies = f"{prefix}program.{program}.reply"
        self._group = f"{prefix}prog.{program}.{group}"
        self._options = dict(options or {})
        self._consumer: Any = None
        self._producer: Any = None
        self._done: dict[Any, int] = {}
        self._committed: dict[Any, int] = {}
        self.sequences = Sequences()

    async def __aenter__(self) -> Self:
        self._consumer = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._group,
            enable_auto_commit=False,
            # A group without a commit has seen nothing yet, so it begins at the beginning.
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            **self._options,
        )
        self._producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            **self._options,
        )
        self._consumer.subscribe([self._topic], listener=_Resume(self))
        await self._producer.start()
        await self._consumer.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._consumer.stop()
        await self._producer.stop()

    async def fetch(self) -> list[tuple[Copy, Any]]:
        """Copies that have come, each with the mark to acknowledge it by."""
        found = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_AT_ONCE)
        return [
            (from_record(self._program, record.value, record.headers), (place, record.offset + 1))
            for place, records in found.items()
            for record in records
        ]

    async def ack(self, mark: Any, *, flush: bool) -> None:
        """A copy was handled; the commit waits for the end of a batch, where ``flush`` is set."""
        if mark is not None:
            place, offset = mark
            self._done[place] = offset
        if flush and self._done:
            text = self.sequences.text()
            await self._consumer.commit(
                {
                    place: aiokafka.structs.OffsetAndMetadata(offset, text)
                    for place, offset in self._done.items()
                }
            )
            self._committed |= self._done
            self._done.clear()

    async def keep(self) -> None:
        """Put the numbers seen on record, though no copy came by the topic."""
        self._done = self._committed | self._done
        await self.ack(None, flush=True)

    async def resume(self, places: Any) -> None:
        """Read from the commits what was seen before."""
        for place in places:
            metadata = await self._metadata(place)
            if metadata:
                self.sequences = Sequences.of(metadata)

    async def _metadata(self, place: Any) -> str:
        found = await self._consumer._coordinator.fetch_committed_offsets([place])  # noqa: SLF001
        return str(found[place].metadata) if place in found else ""

    async def send(self, event: CanonicalEvent, said: dict[str, Any]) -> None:
        """Publish a reply and wait for the broker's acknowledgement."""
        key = str(said.get("referral_id") or event.event_id).encode()
        await self._producer.send_and_wait(
            self._replies, encode_event(event), key=key, headers=event_headers(event)
        )


class _Resume(aiokafka.ConsumerRebalanceListener):  # type: ignore[misc]
    """Takes up the numbers where the group left them."""

    def __init__(self, inbox: KafkaInbox) -> None:
        self._inbox = inbox

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """What was handled is committed before another member takes over."""
        del revoked
        await self._inbox.ack(None, flush=True)

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Numbers seen so far."""
        await self._inbox.resume(assigned)
