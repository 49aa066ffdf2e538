"""What happens: facts on ``event.*``, copies at the programs, and which fact caused which copy."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.contracts.codecs import decode_event
from hub.contracts.events import CanonicalEvent
from hub.embedded.city.expectations import Seen
from hub.sdk.programs import Copy

_LINK_SECONDS = 0.1
_LINKS = (
    "SELECT d.copy_id, d.event_id, d.fields::text FROM delivery d"
    " JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS given (subscription, generation, seq)"
    " USING (subscription, generation, seq)"
)


class Arrival(NamedTuple):
    """A distinct copy at a program.

    Attributes:
        at: Monotonic seconds.
        copy: What came.
        seen: Program, type and subject as the story names them.
    """

    at: float
    copy: Copy
    seen: Seen


class Linked(NamedTuple):
    """An arrival with its cause.

    Attributes:
        arrival: The copy.
        fact: The event that caused it; None: a decision of the hub itself, e.g. after a reply.
        fields: Fields that left.
    """

    arrival: Arrival
    fact: CanonicalEvent | None
    fields: tuple[str, ...]


class Observer:
    """Everything seen in one run.

    Args:
        kafka: Bootstrap servers.
        pool: Of the hub's database.
        subject_of: Names the subject of a copy as the story does.
    """

    def __init__(self, kafka: str, pool: asyncpg.Pool, subject_of: Callable[[Copy], str]) -> None:
        self._kafka = kafka
        self._pool = pool
        self._subject_of = subject_of
        self._ids: set[tuple[str, str]] = set()
        self._waiting: list[Arrival] = []
        self._ready = asyncio.Event()
        self.facts: dict[str, CanonicalEvent] = {}
        self.arrivals: list[Arrival] = []
        self.counts: Counter[Seen] = Counter()
        self.doubled = 0
        """Copies that were passed on twice under one id; the programs' kit forbids it."""
        self.show: Callable[[Linked], None] | None = None

    def forget(self) -> None:
        """Begin the run: what came before belongs to an earlier one."""
        self.facts.clear()
        self.arrivals.clear()
        self.counts.clear()
        self._waiting.clear()

    def note(self, copy: Copy) -> None:
        """A program has a copy."""
        if (copy.program, copy.id) in self._ids:
            self.doubled += 1
            return
        self._ids.add((copy.program, copy.id))
        kind = copy.type
        if copy.envelope["lifecycle"] == "annulled":
            kind += "-annulled"
        arrival = Arrival(time.monotonic(), copy, (copy.program, kind, self._subject_of(copy)))
        self.arrivals.append(arrival)
        self.counts[arrival.seen] += 1
        self._waiting.append(arrival)

    def seen(self) -> list[Seen]:
        """Every distinct copy."""
        return [arrival.seen for arrival in self.arrivals]

    def fact_types(self) -> Counter[str]:
        """Distinct facts by type."""
        return Counter(fact.type for fact in self.facts.values())

    async def opened(self) -> None:
        """Wait until facts are read."""
        await self._ready.wait()

    async def tail(self, places: list[TopicPartition]) -> None:
        """Read facts from now on, until cancelled."""
        consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=self._kafka, enable_auto_commit=False, fetch_max_wait_ms=200
        )
        await consumer.start()
        try:
            consumer.assign(places)
            await consumer.seek_to_end(*places)
            for place in places:
                # Without it the position is looked up at the first fetch, when facts may have come.
                await consumer.position(place)
            self._ready.set()
            async for record in consumer:
                event = decode_event(record.value)
                self.facts.setdefault(event.event_id, event)
        finally:
            await consumer.stop()

    async def decided(self) -> bool:
        """Whether every fact seen so far has been decided."""
        ids = list(self.facts)
        count = await self._pool.fetchval(
            "SELECT count(*) FROM seen_event WHERE event_id = ANY($1::text[]::uuid[])", ids
        )
        return bool(count >= len(ids))

    async def link(self) -> None:
        """Find the cause of each copy and show both, until cancelled."""
        while True:
            batch, self._waiting = self._waiting, []
            if batch and self.show:
                for linked in await self._linked(batch):
                    self.show(linked)
            await asyncio.sleep(_LINK_SECONDS)

    async def _linked(self, batch: list[Arrival]) -> list[Linked]:
        rows = await self._pool.fetch(
            _LINKS,
            [one.copy.program for one in batch],
            [one.copy.generation for one in batch],
            [one.copy.sequence for one in batch],
        )
        found = {row[0]: (row[1], tuple(orjson.loads(row[2]))) for row in rows}
        made = []
        for one in batch:
            event_id, fields = found.get(one.copy.id, ("", ()))
            made.append(Linked(one, self.facts.get(event_id), fields))
        return made
