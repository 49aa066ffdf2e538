"""Assignments: which partitions the group gave this worker, and the claims on them.

The listener only takes note; no I/O happens there, because aiokafka swallows its exceptions and
sends no heartbeats meanwhile. Every assigned partition stays paused until its lane has claimed it
in the database and sought to the offset found there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any

import asyncpg
import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError
from msgspec import structs

from hub.kernel.failpoints import passed
from hub.kernel.worker_events import LOST, WorkerEvent
from hub.runtime.logs import MISFITS, Log, Misfit, follows, look, misfit, named
from hub.runtime.metrics import STOPPED
from hub.runtime.progress import Progress
from hub.runtime.slots import SlotLostError
from hub.runtime.stages import Stage
from hub.runtime.suspicions import Suspicion, suspicion
from hub.store import alarms, attempts, leases
from hub.store import claims as store
from hub.store.claims import Claim, Place
from hub.store.connections import FenceError
from hub.store.worker_events import note

_COMMIT_SECONDS = 5.0
_STALE_SECONDS = 0.2
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
        self.waiting = True
        """Whether the group has not told yet what is ours."""
        self.partitions: frozenset[TopicPartition] = frozenset()
        self.changed = asyncio.Event()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing is ours until the next assignment."""
        del revoked
        self._note(frozenset())
        self.waiting = True

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Pause all; the lanes claim, seek and resume."""
        partitions = frozenset(assigned)
        self._consumer.pause(*partitions)
        self._note(partitions)
        self.waiting = False

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
        stretch: Records that the lane has in its hands at once, at most.
        progress: Where stopped partitions are shown.
        stage: The worker's surroundings.
    """

    def __init__(
        self,
        consumer: Any,
        assignment: Assignment,
        mine: Callable[[TopicPartition], bool],
        stretch: int,
        progress: Progress,
        stage: Stage,
    ) -> None:
        self._consumer = consumer
        self._assignment = assignment
        self._mine = mine
        self._stretch = stretch
        self._progress = progress
        self._stage = stage
        self._generation = -1
        self._checked = time.monotonic()
        self._lost: set[Place] = set()
        self._suspicions: dict[Place, Suspicion] = {}
        self._probation: set[Place] = set()
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
        self._probation.clear()
        self._lost.clear()
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
        slot, owner = self._stage.slot, self._stage.owner
        if slot and not await leases.acquire(connection, slot, owner):
            # Our successor has our member ids; the group would give us its partitions in turn.
            raise self._stage.end("slot lost", SlotLostError(slot))
        for partition in mine:
            self._progress.stopped.pop((partition.topic, partition.partition), None)
        STOPPED.set(len(self._progress.stopped))
        found = await look(self._consumer, mine)
        stand = await store.positions(connection, [(p.topic, p.partition) for p in mine])
        offsets = {p: stand.get((p.topic, p.partition), log.first) for p, log in found.items()}
        if not await self._belongs(offsets):
            return False
        self._stage.working()
        taken = await store.take(
            connection,
            {(p.topic, p.partition): log.first for p, log in found.items()},
            owner=owner,
            now=now,
            topic_ids={p.topic: log.topic_id for p, log in found.items()},
            living=await leases.living(connection),
            worked=[(p.topic, p.partition) for p, log in found.items() if offsets[p] >= log.last],
        )
        passed("claim.epoch", connection.terminate)
        records = [claim.record for claim in taken.values()]
        tried = await attempts.standing(
            connection, records + [attempts.portion_at(one) for one in records]
        )
        if generation != self._assignment.generation:
            return False
        self._resume(taken, found, tried)
        await alarms.clear(connection, MISFITS, [named(p) for p in self.claims], now=now)
        return True

    async def _belongs(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Whether the group agrees that these partitions are ours; asked before they are taken.

        A worker that stood still believes in an assignment that is over. Only a member of the
        present generation may commit, so the mirror's commit tells.
        """
        try:
            await asyncio.wait_for(self._consumer.commit(dict(offsets)), _COMMIT_SECONDS)
        except (CommitFailedError, IllegalStateError):
            await self._stage.pause(_STALE_SECONDS)
            return False
        return True

    def portion(self, place: Place, off: int) -> int:
        """How many records are worked at once, as processes may have died at one of them.

        Args:
            place: A claimed partition.
            off: Offset of the first record.

        Returns:
            1: alone; 0: as many as there are.
        """
        return self._suspicions[place].portion(off)

    def acquit(self) -> None:
        """Let partitions be read whose records run alone, once the process has proven to live."""
        if self._probation and not self._stage.unproven_seconds:
            released, self._probation = self._probation, set()
            self.seek(released)

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
        # The one whom the group names wins against one that woke up and has not heard of it yet.
        free += [place for place in places if place in self._lost and place not in free]
        if free and await self._take(connection, [TopicPartition(*one) for one in free], now):
            return [place for place in free if place in self.claims]
        return []

    def _resume(
        self,
        taken: dict[Place, Claim],
        found: Mapping[TopicPartition, Log],
        tried: Collection[str],
    ) -> None:
        for place, claim in taken.items():
            log = found[TopicPartition(*place)]
            wrong = misfit(claim, log)
            self._suspicions[place] = suspicion(claim, tried, log.last, self._stretch)
            self._lost.discard(place)
            if wrong is None:
                self.claims[place] = claim
            else:
                self._stop(place, wrong)
        self.seek(taken)

    async def fitting(
        self,
        polled: dict[TopicPartition, list[Any]],
        reached: Mapping[Place, int] | None = None,
    ) -> dict[TopicPartition, list[Any]]:
        """What of a poll may be worked: partitions whose log no longer fits their claim stop.

        Args:
            polled: Records as the consumer gave them.
            reached: Offsets up to which they were read before; by default the claims.
        """
        if reached is None:
            reached = {place: self.claims[place].next_offset for place in polled}
        gaps = [p for p, records in polled.items() if not follows(records, reached[p])]
        if not gaps:
            return polled
        found = await look(self._consumer, gaps)
        for partition in gaps:
            place = partition.topic, partition.partition
            claim = structs.replace(self.claims[place], next_offset=reached[place])
            wrong = misfit(claim, found[partition])
            if wrong is not None:
                del self.claims[place]
                self._stop(place, wrong)
        return {
            p: records for p, records in polled.items() if (p.topic, p.partition) in self.claims
        }

    def expire(self, topic_ids: Mapping[str, str]) -> None:
        """Claim again where a topic got another id: the claims will be found not to fit."""
        if any(
            claim.topic_id and topic_ids.get(topic, claim.topic_id) != claim.topic_id
            for (topic, _), claim in self.claims.items()
        ):
            self._generation = -1

    def _stop(self, place: Place, wrong: Misfit) -> None:
        """Records between the claim and the log are gone: going on would lose them silently."""
        self._progress.stopped[place] = wrong.detail
        STOPPED.set(len(self._progress.stopped))
        self._stage.alarms.sound(wrong.kind, named(place), wrong.detail)
        with suppress(IllegalStateError):
            self._consumer.pause(TopicPartition(*place))

    def seek(self, places: Iterable[Place] | None = None) -> None:
        """Let the consumer read from the claims on: from all of them, or from some."""
        wanted = self.claims.keys() if places is None else self.claims.keys() & set(places)
        for place in wanted:
            claim = self.claims[place]
            partition = TopicPartition(*place)
            alone = self.portion(place, claim.next_offset) == 1
            try:
                self._consumer.seek(partition, claim.next_offset)
                if alone and self._stage.unproven_seconds:
                    self._probation.add(place)
                    self._consumer.pause(partition)
                else:
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
        if lost:
            count, now = len(lost), self._stage.now()
            event = WorkerEvent(now, LOST, self._stage.owner, partitions=count)
            await note(connection, event)
        self._lost |= lost
        self.claims = found
        self.seek()
        for place in lost:
            # Nothing more is read from it until the group has met again, or an operator lets it go.
            log.warning("claim lost", topic=place[0], partition=place[1])
            with suppress(IllegalStateError):
                self._consumer.pause(TopicPartition(*place))
