"""Decide lanes: the loop from a poll to a committed transaction.

A lane has its own partitions and its own connection. All partitions of one poll share one
transaction: fence, drop repeats, load, decide, write, commit.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from hub.kernel.alarms import EVENT_SET_ASIDE
from hub.kernel.errors import DataError
from hub.kernel.failpoints import passed
from hub.runtime.assignments import Assignment, Holding
from hub.runtime.deciding import Batch, read
from hub.runtime.items import CrashedError, DoomedError, Item
from hub.runtime.metrics import BATCHES, EVENTS, RETRIES
from hub.runtime.progress import Progress
from hub.runtime.shares import fair_poll
from hub.runtime.stages import Backoff, Stage, is_bad_value, is_known_fault, where
from hub.runtime.suspicions import cut
from hub.runtime.trials import KILLED, Trials, is_killer
from hub.store import attempts, crashes
from hub.store.claims import Claim, Place
from hub.store.connections import ConflictError, close, connect
from hub.store.unit_of_work import Outcome, UnitOfWork

_POLL_MS = 200
_CONFLICTS = 50
_LEAST = 20
"""Records of a batch at least, however often a batch was cut off."""


class DecideLane:
    """One lane.

    Args:
        stage: The worker's surroundings.
        number: Which lane it is.
        lanes: Of how many.
        consumer: Shared by the lanes.
        assignment: What the group gave this worker.
        progress: Signs of life.
    """

    def __init__(
        self,
        stage: Stage,
        number: int,
        lanes: int,
        consumer: Any,
        assignment: Assignment,
        progress: Progress,
    ) -> None:
        self._stage = stage
        self._consumer = consumer
        self._progress = progress
        self._connection: asyncpg.Connection | None = None
        self._trials = Trials(stage)
        self._crashed: dict[Place, dict[int, int]] = {}
        self._most = stage.settings.batch

        def mine(partition: TopicPartition) -> bool:
            return bool(partition.partition % lanes == number)

        self.holding = Holding(consumer, assignment, mine, self._most, progress, stage)
        self._assignment = assignment

    async def run(self) -> None:
        """Work until the worker stops; known faults are ridden out, others end the process."""
        backoff = Backoff()
        try:
            while not self._stage.stopping.is_set():
                try:
                    await self._turn(await self._connected())
                    backoff.reset()
                except Exception as error:
                    if not is_known_fault(error):
                        raise self._stage.end("decide", error) from error
                    self._progress.moved()
                    # If the batch took longer than the database waits, a smaller one will pass.
                    self._most = max(_LEAST, self._most // 2)
                    await close(self._connection)
                    self._connection = None
                    await self._stage.unblock(error)
                    await self._stage.pause(backoff.step())
        finally:
            await close(self._connection)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None:
            self._connection = await connect(self._stage.settings.database)
            # What a cut COMMIT came to is told by the claims.
            await self.holding.reread(self._connection)
        return self._connection

    async def _turn(self, connection: asyncpg.Connection) -> None:
        holding = self.holding
        now = self._stage.now()
        if await holding.follow(connection, now) or await holding.check(connection, now):
            claims = list(holding.claims.values())
            self._crashed = await crashes.ahead(connection, claims)
        holding.acquit()
        if not holding.claims:
            self._assignment.changed.clear()
            if holding.current:
                await self._stage.pause(_POLL_MS / 1000)
            return
        polled = await fair_poll(
            self._consumer, holding.partitions, timeout_ms=_POLL_MS, limit=self._most
        )
        if not polled or not holding.current:
            return
        passed("batch.polled", connection.terminate)
        for items in self._batches(await holding.fitting(polled)):
            if not self.holding.current:
                return
            await self._run(connection, items)

    def _batches(self, polled: dict[TopicPartition, list[Any]]) -> Iterable[list[Item]]:
        """What runs apart, in the log's order, then all the rest at once."""
        apart: list[list[Item]] = []
        rest: list[Item] = []
        for partition, records in polled.items():
            place = partition.topic, partition.partition
            start = self.holding.claims[place].next_offset
            run = [record for record in records if record.offset >= start]
            parts, others = cut(run, partial(self._portion, place))
            apart += [_items(place, part) for part in parts]
            rest += _items(place, others)
        return [*apart, rest] if rest else apart

    def _portion(self, place: Place, off: int) -> int:
        crashed = max(self._crashed.get(place, ()), default=-1)
        return 1 if off <= crashed else self.holding.portion(place, off)

    async def _run(self, connection: asyncpg.Connection, items: list[Item]) -> None:
        """Work items together with what else the worker decides, or with nothing beside them."""
        portion = self.holding.portion(items[0].place, items[0].off)
        if portion == 1:
            await self._alone(connection, items[0])
        elif portion:
            claim = self.holding.claims[items[0].place]
            async with self._trials.portion(connection, claim):
                await self._work(connection, items)
        else:
            async with self._stage.solitude.together():
                await self._work(connection, items)

    async def _alone(self, connection: asyncpg.Connection, item: Item) -> None:
        """Work an item with nothing beside it; the fourth process sets aside what killed three."""
        place, claim = f"{item.topic}/{item.part}/{item.off}", self.holding.claims[item.place]
        async with self._trials.alone(connection, place, claim) as before:
            if is_killer(before) and before.event_id is None:
                self._kills(item)
            await self._decode(connection, item)
            if is_killer(before) and item.failure is None:
                self._kills(item)
            elif item.event is not None:
                await attempts.decoded(connection, place, item.event.event_id)
            await self._work(connection, [item])

    def _kills(self, item: Item) -> None:
        item.failure = DataError("E-BUG", detail=KILLED)
        self._stage.alarms.sound(EVENT_SET_ASIDE, f"{item.topic}/{item.part}/{item.off}", KILLED)

    async def _decode(self, connection: asyncpg.Connection, item: Item) -> None:
        try:
            read(self._stage.wiring, [item])
        except CrashedError as error:
            await self._crash(connection, item, error)

    async def _work(self, connection: asyncpg.Connection, items: list[Item]) -> None:
        for attempt in range(_CONFLICTS):
            try:
                read(self._stage.wiring, items)
                outcome, repeats = await self._transact(connection, items)
            except (ConflictError, asyncpg.UniqueViolationError) as error:
                RETRIES.labels(type(error).__name__).inc()
                await asyncio.sleep(0.002 * attempt)
            except (DoomedError, CrashedError) as error:
                await self._set_aside(connection, error)
            except Exception as error:
                if not is_bad_value(error):
                    raise
                if len(items) == 1:
                    await self._refused(connection, items[0], error)
                    continue
                for item in items:
                    await self._work(connection, [item])
                return
            else:
                self._committed(items, outcome, repeats)
                return
        raise ConflictError("decide")

    async def _set_aside(
        self, connection: asyncpg.Connection, error: DoomedError | CrashedError
    ) -> None:
        if isinstance(error, DoomedError):
            error.mark()
        else:
            await self._crash(connection, error.item, error)

    async def _refused(self, connection: asyncpg.Connection, item: Item, error: Exception) -> None:
        """The database refuses a value (a NUL in a text) or a constraint failed (a bug)."""
        if isinstance(error, asyncpg.DataError) and item.failure is None:
            item.failure = DataError("E-SCHEMA-BODY", detail="refused by the database")
        else:
            await self._crash(connection, item, error)

    async def _transact(
        self, connection: asyncpg.Connection, items: list[Item]
    ) -> tuple[Outcome, int]:
        stage = self._stage
        passed("batch.decoded", connection.terminate)
        async with UnitOfWork(
            connection, now=stage.now(), subscriptions=stage.subscriptions
        ) as unit:
            await unit.fence(list(self._moves(items).values()))
            batch = Batch(unit, stage.wiring)
            outcome = await batch.run(items)
            await unit.write(outcome)
        return outcome, batch.repeats

    def _moves(self, items: list[Item]) -> dict[Place, tuple[Claim, int]]:
        ends = {item.place: item.off + 1 for item in items}
        return {place: (self.holding.claims[place], end) for place, end in ends.items()}

    def _committed(self, items: list[Item], outcome: Outcome, repeats: int) -> None:
        for claim, offset in self._moves(items).values():
            claim.next_offset = offset
        self._progress.moved()
        self._most = min(self._most + _LEAST, self._stage.settings.batch)
        if outcome.outbox:
            self._stage.bell.set()
        BATCHES.labels("decide").inc()
        EVENTS.labels("decide", "repeat").inc(repeats)
        for disposition, count in Counter(row.disposition for row in outcome.seen).items():
            EVENTS.labels("decide", disposition).inc(count)

    async def _crash(
        self, connection: asyncpg.Connection, item: Item, error: BaseException
    ) -> None:
        """Count the crash and end the process; the third one at an item sets it aside."""
        event_id = item.event.event_id if item.event else None
        crash = crashes.Crash(item.topic, item.part, item.off, event_id, where(error))
        claim = self.holding.claims[item.place]
        count = await crashes.record(connection, crash, claim, now=self._stage.now())
        if count <= crashes.TOLERATED:
            raise self._stage.end(f"crash {count} at {crash.place}", error) from error
        self._stage.alarms.sound(EVENT_SET_ASIDE, crash.place, crash.error)
        item.failure = DataError("E-BUG", detail=crash.error)


def _items(place: Place, records: Sequence[Any]) -> list[Item]:
    return [Item(*place, record.offset, record) for record in records]
