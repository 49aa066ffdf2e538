"""Inbox: one way to read copies and answer them, whichever way they come."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import httpx

from hub.contracts.events import CanonicalEvent
from hub.kernel.clocks import Clock, SystemClock, epoch_ms
from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import settings
from hub.sdk.programs.copies import Copy
from hub.sdk.programs.memories import Memory
from hub.sdk.programs.replies import event_of, fields_of
from hub.sdk.programs.sequences import Gap, Sequences

if TYPE_CHECKING:
    from hub.sdk.programs.pulls import PullInbox


class Transport(Protocol):
    """How copies come and answers go."""

    sequences: Sequences

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    async def fetch(self) -> list[tuple[Copy, Any]]:
        """Copies that have come, each with a mark."""

    async def ack(self, mark: Any, *, flush: bool) -> None:
        """A copy was handled."""

    async def send(self, event: CanonicalEvent, said: dict[str, Any]) -> None:
        """Send a reply."""

    async def keep(self) -> None:
        """Put the numbers seen on record."""


class Inbox:
    """A receiver's inbox: an asynchronous iterator over copies.

    A copy is acknowledged when the loop's body has finished with it and not before: after an
    exception it comes again. A copy that comes twice (same id) is passed on once. A number that
    is missing opens a gap, see :attr:`gaps`.

    Args:
        program: The receiver, e.g. ``medical-aid``.
        kafka: Broker addresses, where copies come as a topic.
        gateway: Address of the gateway, where the receiver fetches them itself; beside ``kafka``
            only for what is missing, see :meth:`missing`.
        key: API key for the gateway.
        memory: File that keeps the ids of handled copies over a restart.
        remember: How many ids are kept.
        prefix: Before topic and group names; None: the setting ``HUB_TOPIC_PREFIX``.
        group: Name of the consumer group after ``prog.<id>.``.
        options: Further options of the Kafka clients, e.g. for SASL.
        client: An HTTP client of one's own.
        clock: Where ``occurred_at`` of replies comes from.

    Raises:
        ConfigurationError: neither ``kafka`` nor ``gateway``, or a gateway without key.
    """

    def __init__(
        self,
        program: str,
        *,
        kafka: str = "",
        gateway: str = "",
        key: str = "",
        memory: Path | None = None,
        remember: int = 100_000,
        prefix: str | None = None,
        group: str = "inbox",
        options: Mapping[str, Any] | None = None,
        client: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.program = program
        self.duplicates = 0
        """Copies that came again and were not passed on."""
        self._clock = clock or SystemClock()
        self._memory = Memory(memory, remember)
        self._pending: deque[tuple[Copy, Any]] = deque()
        if not (kafka or gateway) or (gateway and not key and client is None):
            raise ConfigurationError(
                f"The inbox of {program} needs 'kafka', or 'gateway' with 'key'.",
                hint="Take the way that the subscription names under 'delivery'.",
                message_zh=f"{program} 的收件箱须指定 kafka,或指定 gateway 与 key。",
            )
        self._gateway = _pull(program, gateway, key, client) if gateway else None
        self._transport: Transport = (
            self._gateway
            if self._gateway and not kafka
            else _kafka(program, kafka, prefix, group, options)
        )

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._transport.ack(None, flush=True)
        finally:
            await self._transport.__aexit__(kind, error, trace)
            if self._gateway and self._gateway is not self._transport:
                await self._gateway.__aexit__(kind, error, trace)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Numbers that have not come; report them to the hub's operators or fetch them."""
        return self._transport.sequences.gaps

    @property
    def sequence(self) -> int:
        """The highest number seen."""
        return self._transport.sequences.last

    async def __aiter__(self) -> AsyncIterator[Copy]:
        while True:
            if not self._pending:
                self._pending.extend(await self._transport.fetch())
            while self._pending:
                copy, mark = self._pending[0]
                self._transport.sequences.see(copy.generation, copy.sequence)
                if copy.id in self._memory:
                    self.duplicates += 1
                else:
                    yield copy
                    self._memory.add(copy.id)
                self._pending.popleft()
                await self._transport.ack(mark, flush=not self._pending)

    async def missing(self) -> AsyncIterator[Copy]:
        """Fetch by number what has not come, oldest first; needs the gateway.

        A number counts as come when the loop's body has finished with its copy. One whose
        generation ended before it is void: what it stood for has a number of the next one.

        Raises:
            ConfigurationError: this inbox was opened without a gateway.
            HubError: the hub does not have that number.
        """
        if self._gateway is None:
            raise ConfigurationError(
                f"The inbox of {self.program} cannot fetch numbers without the gateway.",
                hint="Open it with 'gateway' and 'key' beside 'kafka'.",
                message_zh=f"{self.program} 的收件箱按编号补取需要 gateway 与 key。",
            )
        for gap in self.gaps:
            for number in range(gap.first, gap.last + 1):
                copy = await self._gateway.one(number, gap.generation)
                if copy is not None and copy.id in self._memory:
                    self.duplicates += 1
                elif copy is not None:
                    yield copy
                    self._memory.add(copy.id)
                self._transport.sequences.see(gap.generation, number)
            await self._transport.keep()

    async def reply(self, copy: Copy, event_type: str, **fields: Any) -> str:
        """Answer a copy; referral, person and snapshot are taken from it.

        Args:
            copy: What is answered.
            event_type: ``referral.accepted``, ``referral.stop_answered``, ``roster.receipt`` …
            fields: Further fields of the reply, e.g. ``handler="A-17"``, ``answer="stopped"``.

        Returns:
            The reply's event id; the same however often the same copy is answered.

        Raises:
            DataError: no type of a reply, an unknown field, or no referral to answer.
        """
        said = fields_of(copy, event_type, fields)
        event = event_of(copy, event_type, said, now=epoch_ms(self._clock.now()))
        await self._transport.send(event, said)
        return event.event_id


def _kafka(
    program: str,
    bootstrap: str,
    prefix: str | None,
    group: str,
    options: Mapping[str, Any] | None,
) -> Transport:
    from hub.sdk.programs.brokers import KafkaInbox

    before = settings().topic_prefix if prefix is None else prefix
    return KafkaInbox(program, bootstrap, prefix=before, group=group, options=options)


def _pull(program: str, gateway: str, key: str, client: httpx.AsyncClient | None) -> PullInbox:
    from hub.sdk.programs.pulls import PullInbox

    return PullInbox(program, gateway, key, client=client)
