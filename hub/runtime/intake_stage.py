"""Intake stage: from ``in.*`` to ``event.*`` on the same partition number, at least once.

Stateless, so up to three chunks are in flight at a time. Offsets move in order, fenced, and only
after the broker has acknowledged every record of the chunk, dead letters included.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import takewhile
from typing import Any

import asyncpg
import msgspec
from aiokafka import TopicPartition

from hub.kernel.alarms import RECORD_SET_ASIDE
from hub.kernel.failpoints import passed
from hub.runtime.assignments import Holding
from hub.runtime.clients import producer, renewed
from hub.runtime.consumers import StageConsumer
from hub.runtime.logs import named
from hub.runtime.metrics import BATCHES, EVENTS
from hub.runtime.sending import Batches
from hub.runtime.shares import fair_poll
from hub.runtime.stages import Backoff, Stage, is_known_fault, where
from hub.runtime.suspicions import cut
from hub.runtime.trials import KILLED, Trials, is_killer
from hub.runtime.wirings import Pipeline, Produced
from hub.store import claims as store
from hub.store import crashes
from hub.store.claims import Claim, Place
from hub.store.connections import close, connect

_POLL_MS = 200
_IN_FLIGHT = 3
_CHUNK = 4000
_BREATH = 500
"""Records after which heartbeats, fetches and acknowledgements have their turn."""

_LANDED = BATCHES.labels("intake")
_READ = EVENTS.labels("intake", "read")
_PRODUCED = EVENTS.labels("intake", "produced")


class _Chunk(msgspec.Struct):
    """Records that were produced and wait for their acknowledgements."""

    moves: dict[Place, int]
    acks: list[Any]
    records: int
    produced: int
    dead: bool
    """Whether dead letters are among them."""


class IntakeStage:
    """Intake of one worker.

    Args:
        stage: The worker's surroundings.
        consumer: Of the ``in.*`` topics.
    """

    def __init__(self, stage: Stage, consumer: StageConsumer) -> None:
        self._stage = stage
        self._consumer = consumer
        self._producer: Any = None
        self._connection: asyncpg.Connection | None = None
        self._trials = Trials(stage)
        self._flying: deque[_Chunk] = deque()
        self._read: dict[Place, int] = {}
        self._crashed: dict[Place, dict[int, int]] = {}
        self._pipelines: dict[str, Pipeline] = {
            stage.settings.wire(topic): pipeline
            for topic, pipeline in stage.wiring.pipelines.items()
        }
        self.holding = Holding(
            consumer.client,
            consumer.assignment,
            lambda _: True,
            _CHUNK * _IN_FLIGHT,
            consumer.progress,
            stage,
        )
        consumer.holdings.append(self.holding)

    async def run(self) -> None:
        """Work until the worker stops."""
        self._producer = producer(self._stage.settings.kafka)
        await self._stage.patient(self._producer.start)
        backoff = Backoff()
        try:
            while not self._stage.stopping.is_set():
                try:
                    await self._turn(await self._connected())
                    backoff.reset()
                except Exception as error:
                    await self._abandon()
                    if not is_known_fault(error):
                        raise self._stage.end("intake", error) from error
                    self._consumer.progress.moved()
                    self._producer = await renewed(self._producer, error)
                    await close(self._connection)
                    self._connection = None
                    await self._stage.unblock(error)
                    await self._stage.pause(backoff.step())
            await self._finish()
        finally:
            await self._producer.stop()
            await close(self._connection)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None:
            self._connection = await connect(self._stage.settings.database)
            await self.holding.reread(self._connection)
            self._read = self._claimed()
        return self._connection

    def _claimed(self) -> dict[Place, int]:
        return {place: claim.next_offset for place, claim in self.holding.claims.items()}

    async def _turn(self, connection: asyncpg.Connection) -> None:
        holding = self.holding
        if not holding.current:
            await self._abandon()
            if await holding.follow(connection, self._stage.now()):
                self._read = self._claimed()
                claims = list(holding.claims.values())
                self._crashed = await crashes.ahead(connection, claims)
        for place in await holding.check(connection, self._stage.now()):
            self._read[place] = holding.claims[place].next_offset
            self._crashed |= await crashes.ahead(connection, [holding.claims[place]])
        holding.acquit()
        if not holding.claims:
            await self._stage.pause(_POLL_MS / 1000)
            return
        while self._flying and (len(self._flying) >= _IN_FLIGHT or _is_answered(self._flying[0])):
            await self._land(connection)
        polled = await fair_poll(
            self._consumer.client,
            holding.partitions,
            timeout_ms=5 if self._flying else _POLL_MS,
            limit=_CHUNK,
        )
        if polled and holding.current:
            passed("intake.polled", connection.terminate)
            polled = await holding.fitting(polled, self._read)
        if polled and holding.current:
            await self._work(connection, polled)
        elif self._flying:
            await self._land(connection)

    async def _work(
        self, connection: asyncpg.Connection, polled: dict[TopicPartition, list[Any]]
    ) -> None:
        others: dict[TopicPartition, Sequence[Any]] = {}
        for partition, records in polled.items():
            run = [record for record in records if record.offset >= self._read[partition]]
            apart, rest = cut(run, partial(self.holding.portion, partition))
            for part in apart:
                if not self.holding.current:
                    return
                await self._apart(connection, partition, part)
            if rest:
                others[partition] = rest
        if others:
            async with self._stage.solitude.together():
                await self._take_off(connection, others)

    async def _apart(
        self, connection: asyncpg.Connection, partition: TopicPartition, part: Sequence[Any]
    ) -> None:
        """Work records with nothing beside them, in the air neither."""
        while self._flying:
            await self._land(connection)
        if self.holding.portion(partition, part[0].offset) == 1:
            await self._alone(connection, partition, part[0])
            return
        claim = self.holding.claims[partition]
        async with self._trials.portion(connection, claim):
            await self._take_off(connection, {partition: part})
            await self._land(connection)

    async def _alone(
        self, connection: asyncpg.Connection, partition: TopicPartition, record: Any
    ) -> None:
        """Work a record with nothing beside it; the fourth process sets aside what killed three."""
        place, claim = f"{named(partition)}/{record.offset}", self.holding.claims[partition]
        buried = self._stage.wiring.buried
        async with self._trials.alone(connection, place, claim) as before:
            if is_killer(before) and buried:
                self._stage.alarms.sound(RECORD_SET_ASIDE, place, KILLED)
                await self._send(partition, record, buried(record, "E-BUG"))
            else:
                await self._take_off(connection, {partition: [record]})
            await self._land(connection)

    async def _send(
        self, partition: TopicPartition, record: Any, produced: Sequence[Produced]
    ) -> None:
        """Hand what became of one record to the producer."""
        batches = Batches(self._producer, self._stage.settings)
        for topic, key, value, headers in produced:
            batches.add(topic, partition.partition, key, value, headers)
        self._read[partition] = record.offset + 1
        acks = await batches.send()
        moves = {(partition.topic, partition.partition): record.offset + 1}
        self._flying.append(_Chunk(moves, acks, 1, len(produced), dead=True))

    async def _take_off(
        self, connection: asyncpg.Connection, polled: Mapping[TopicPartition, Sequence[Any]]
    ) -> None:
        """Run the pipelines over a poll and hand the results to the producer."""
        batches = Batches(self._producer, self._stage.settings)
        moves: dict[Place, int] = {}
        count = 0
        for partition, records in polled.items():
            place = partition.topic, partition.partition
            start = self._read[place]
            pipeline = self._pipelines[partition.topic]
            for record in records:
                if record.offset < start:
                    continue
                try:
                    produced = pipeline(record)
                except Exception as error:  # noqa: BLE001 - counted, then fatal or a dead letter
                    produced = await self._crash(connection, record, error)
                for topic, key, value, headers in produced:
                    batches.add(topic, partition.partition, key, value, headers)
                count += len(produced)
                if not record.offset % _BREATH:
                    await asyncio.sleep(0)
            moves[place] = self._read[place] = records[-1].offset + 1
        dead = batches.holds("dlq.")
        acks = await batches.send()
        self._flying.append(_Chunk(moves, acks, sum(map(len, polled.values())), count, dead))

    async def _land(self, connection: asyncpg.Connection) -> None:
        """Wait for the oldest chunk's acknowledgements, then move its offsets.

        Chunks behind it that are acknowledged by then go into the same transaction.
        """
        await asyncio.gather(*self._flying[0].acks)
        passed("intake.produced", connection.terminate)
        landed = list(takewhile(_is_acked, self._flying))
        if any(chunk.dead for chunk in landed):
            passed("intake.dead", connection.terminate)
        last = {place: offset for chunk in landed for place, offset in chunk.moves.items()}
        moves: list[tuple[Claim, int]] = [
            (self.holding.claims[place], offset) for place, offset in last.items()
        ]
        async with connection.transaction():
            await store.fence(connection, moves, now=self._stage.now())
        for claim, offset in moves:
            claim.next_offset = offset
        for chunk in landed:
            self._flying.popleft()
            _READ.inc(chunk.records)
            _PRODUCED.inc(chunk.produced)
        _LANDED.inc(len(landed))
        self._consumer.progress.moved()

    async def _finish(self) -> None:
        """On a graceful stop, land what is in the air."""
        try:
            while self._flying and self._connection is not None:
                await self._land(self._connection)
        except Exception as error:
            if not is_known_fault(error):
                raise self._stage.end("intake", error) from error

    async def _abandon(self) -> None:
        """Forget chunks in flight; await their sends first, so that nothing overtakes them."""
        acks = [ack for chunk in self._flying for ack in chunk.acks]
        self._flying.clear()
        await asyncio.gather(*acks, return_exceptions=True)

    async def _crash(
        self, connection: asyncpg.Connection, record: Any, error: Exception
    ) -> tuple[Produced, ...]:
        """Count the crash and end the process; the third one makes the record a dead letter."""
        crash = crashes.Crash(record.topic, record.partition, record.offset, None, where(error))
        claim = self.holding.claims[record.topic, record.partition]
        count = await crashes.record(connection, crash, claim, now=self._stage.now())
        if count <= crashes.TOLERATED or self._stage.wiring.buried is None:
            raise self._stage.end(f"crash {count} at {crash.place}", error) from error
        self._stage.alarms.sound(RECORD_SET_ASIDE, crash.place, crash.error)
        return tuple(self._stage.wiring.buried(record, "E-BUG"))


def _is_answered(chunk: _Chunk) -> bool:
    return all(ack.done() for ack in chunk.acks)


def _is_acked(chunk: _Chunk) -> bool:
    """Whether the broker has every record; a refusal is an answer but no acknowledgement."""
    return _is_answered(chunk) and not any(a.cancelled() or a.exception() for a in chunk.acks)
