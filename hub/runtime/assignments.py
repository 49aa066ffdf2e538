"""Assignments: which partitions the group gave this worker, and the claims on them.

The listener only takes note; no I/O happens there, because aiokafka swallows its exceptions and
sends no heartbeats meanwhile. Every assigned partition stays paused until its lane has claimed it
in the database and sought to the offset found there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import asyncpg
import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError

from hub.kernel.failpoints import passed
from hub.runtime.metrics import ALARMS, STOPPED
from hub.runtime.progress import Progress
from hub.store import claims as store
from hub.store.claims import Claim, Place
from hub.store.connections import FenceError

_CHECK_SECONDS = 2.0
"""How soon a lane without traffic notices that an operator holds, moved or let go its claims."""

log = structlog.get_logger(__name__)


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """What the group coordinator said last.

    Args:
        consumer: The consumer that is told.
    """

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self.generation = 0
        self.partitions: frozenset[TopicPartition] = frozenset()
        self.changed = asyncio.Event()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing is ours until the next assignment."""
        del revoked
        self._note(frozenset())

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Pause all; the lanes claim, seek and resume."""
        partitions = frozenset(assigned)
        self._consumer.pause(*partitions)
        self._note(partitions)

    def _note(self, partitions: frozenset[TopicPartition]) -> None:
        self.partitions = partitions
        self.generation += 1
        self.changed.set()


class Holding:
    """The claims of one lane.

    Args:
        consumer: The shared consumer.
        assignment: What is assigned.
        mine: Which partitions are this lane's.
        progress: Where stopped partitions are shown.
        owner: Who claims, for people to read.
    """

    def __init__(
        self,
        consumer: Any,
        assignment: Assignment,
        mine: Callable[[TopicPartition], bool],
        progress: Progress,
        owner: str,
    ) -> None:
        self._consumer = consumer
        self._assignment = assignment
        self._mine = mine
        self._progress = progress
        self._owner = owner
        self._generation = -1
        self._checked = time.monotonic()
        self.claims: dict[Place, Claim] = {}

    @property
    def current(self) -> bool:
        """Whether the claims belong to the present assignment."""
        return self._generation == self._assignment.generation

    @property
    def partitions(self) -> list[TopicPartition]:
        """The claimed partitions."""
        return [TopicPartition(*place) for place in self.claims]

    async def follow(self, connection: asyncpg.Connection, now: int) -> bool:
        """Claim what was newly assigned.

        Returns:
            Whether claims were taken now.
        """
        generation = self._assignment.generation
        if generation == self._generation:
            return False
        self.claims = {}
        mine = self._assigned()
        if mine and not await self._take(connection, mine, now):
            return False
        self._generation = generation
        return bool(mine)

    def _assigned(self) -> list[TopicPartition]:
        return sorted(p for p in self._assignment.partitions if self._mine(p))

    async def _take(
        self, connection: asyncpg.Connection, mine: list[TopicPartition], now: int
    ) -> bool:
        """Claim partitions; False: the group met meanwhile, and others may be ours."""
        generation = self._assignment.generation
        for partition in mine:
            self._progress.stopped.pop((partition.topic, partition.partition), None)
        STOPPED.set(len(self._progress.stopped))
        first = await self._consumer.beginning_offsets(mine)
        last = await self._consumer.end_offsets(mine)
        starts = {(p.topic, p.partition): first[p] for p in mine}
        taken = await store.take(connection, starts, owner=self._owner, now=now)
        passed("claim.epoch", connection.terminate)
        if generation != self._assignment.generation:
            return False
        self._resume(taken, first, last)
        return True

    async def check(self, connection: asyncpg.Connection, now: int) -> list[Place]:
        """Every few seconds: notice that a claim is held, and take those that were let go.

        Returns:
            Partitions claimed now.

        Raises:
            FenceError: a claim is not ours any more.
        """
        if time.monotonic() - self._checked < _CHECK_SECONDS or not self.current:
            return []
        self._checked = time.monotonic()
        found = await store.reread(connection, list(self.claims.values())) if self.claims else {}
        if len(found) < len(self.claims):
            raise FenceError(f"{len(found)} of {len(self.claims)} claims are still ours")
        missing = [p for p in self._assigned() if (p.topic, p.partition) not in self.claims]
        places = [(p.topic, p.partition) for p in missing]
        free = await store.released(connection, places) if places else []
        if free and await self._take(connection, [TopicPartition(*one) for one in free], now):
            return [place for place in free if place in self.claims]
        return []

    def _resume(
        self,
        taken: dict[Place, Claim],
        first: dict[TopicPartition, int],
        last: dict[TopicPartition, int],
    ) -> None:
        for place, claim in taken.items():
            partition = TopicPartition(*place)
            if first[partition] <= claim.next_offset <= last[partition]:
                self.claims[place] = claim
            else:
                self._stop(place, claim, first[partition], last[partition])
        self.seek(taken)

    def _stop(self, place: Place, claim: Claim, first: int, last: int) -> None:
        """Records between the claim and the log are gone: going on would lose them silently."""
        reason = f"claim {claim.next_offset} outside the log {first}..{last}"
        log.critical("partition stopped", topic=place[0], partition=place[1], reason=reason)
        self._progress.stopped[place] = reason
        STOPPED.set(len(self._progress.stopped))
        ALARMS.labels("partition_stopped").inc()

    def seek(self, places: Iterable[Place] | None = None) -> None:
        """Let the consumer read from the claims on: from all of them, or from some."""
        wanted = self.claims.keys() if places is None else self.claims.keys() & set(places)
        for place in wanted:
            claim = self.claims[place]
            partition = TopicPartition(*place)
            try:
                self._consumer.seek(partition, claim.next_offset)
                self._consumer.resume(partition)
            except IllegalStateError:
                # Revoked between two lines; the next assignment brings a new claim.
                self._generation = -1
                return
        passed("claim.seek")

    async def reread(self, connection: asyncpg.Connection) -> None:
        """After a fault: keep the claims that are still ours, at their committed offset."""
        if not self.claims:
            return
        found = await store.reread(connection, list(self.claims.values()))
        lost = self.claims.keys() - found.keys()
        self.claims = found
        self.seek()
        for place in lost:
            # Nothing more is read from it until the group has met again, or an operator lets it go.
            log.warning("claim lost", topic=place[0], partition=place[1])
            with suppress(IllegalStateError):
                self._consumer.pause(TopicPartition(*place))
