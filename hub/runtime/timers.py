"""Timers: due rows become ``timer.<kind>`` events in the same kind of transaction as any event.

The row goes away in that transaction, so a timer neither fires twice nor gets lost. Time is the
hub's clock, on a test system perhaps one that a test moves.
"""

from __future__ import annotations

import asyncio

import asyncpg

from hub.contracts.digests import content_digest
from hub.contracts.events import CanonicalEvent
from hub.kernel.alarms import TIMER_SET_ASIDE
from hub.kernel.clocks import from_epoch_ms
from hub.kernel.dates import days_of
from hub.kernel.errors import DataError
from hub.kernel.event_ids import hub_event_id
from hub.kernel.failpoints import passed
from hub.runtime.deciding import Batch
from hub.runtime.items import TIMER_TOPIC, CrashedError, DoomedError, Item
from hub.runtime.metrics import BATCHES, EVENTS, RETRIES
from hub.runtime.progress import Progress
from hub.runtime.stages import Backoff, Stage, is_known_fault, where
from hub.runtime.trials import KILLED, Trials, is_killer
from hub.store import attempts, crashes, leases
from hub.store import timers as store
from hub.store.connections import ConflictError, close, connect
from hub.store.timers import Timer
from hub.store.unit_of_work import UnitOfWork

_POLL_SECONDS = 0.5
_AT_ONCE = 200
_RENEW_SECONDS = 3.0
_CONFLICTS = 50
LEASE = "job/timers"


def event_of(timer: Timer, now: int) -> CanonicalEvent:
    """The event that a timer raises; firing it again would give the same id."""
    kind = f"timer.{timer.kind}"
    groups = {"timer": timer.payload}
    return CanonicalEvent(
        event_id=hub_event_id(timer.key, kind, timer.due_at),
        type=kind,
        source="hub",
        source_record_key=timer.key,
        uid=timer.uid,
        household=timer.household,
        jurisdiction=timer.jurisdiction,
        occurred_at=timer.due_at,
        effective_from=days_of(from_epoch_ms(timer.due_at).date()),
        recorded=now,
        correlation_id=timer.correlation,
        causation_id=timer.cause,
        digest=content_digest(groups),
        groups=groups,
    )


class TimerStage:
    """The timers of all workers; one worker at a time fires them.

    Args:
        stage: The worker's surroundings.
        progress: Signs of life.
    """

    def __init__(self, stage: Stage, progress: Progress) -> None:
        self._stage = stage
        self._progress = progress
        self._connection: asyncpg.Connection | None = None
        self._trials = Trials(stage)
        self._held_until = 0.0

    async def run(self) -> None:
        """Fire timers until the worker stops."""
        backoff = Backoff()
        try:
            while not self._stage.stopping.is_set():
                try:
                    fired = await self._turn()
                    backoff.reset()
                    if not fired:
                        await self._stage.pause(_POLL_SECONDS)
                except Exception as error:
                    if not is_known_fault(error):
                        raise self._stage.end("timers", error) from error
                    await close(self._connection)
                    self._connection = None
                    await self._stage.unblock(error)
                    await self._stage.pause(backoff.step())
            if self._connection is not None and not self._connection.is_closed():
                await leases.release(self._connection, LEASE, self._stage.owner)
        finally:
            await close(self._connection)

    async def _turn(self) -> int:
        if self._connection is None:
            self._connection = await connect(self._stage.settings.database)
        connection = self._connection
        loop = asyncio.get_running_loop()
        if loop.time() >= self._held_until:
            if not await leases.acquire(connection, LEASE, self._stage.owner):
                return 0
            self._held_until = loop.time() + _RENEW_SECONDS
            self._stage.working()
        now = self._stage.now()
        due = await store.due(connection, now, _AT_ONCE)
        if not due:
            return 0
        suspects = await crashes.of_timers(connection)
        whole = [(timer, Item(TIMER_TOPIC, 0, 0, event=event_of(timer, now))) for timer in due]
        alone = any(item.event and item.event.event_id in suspects for _, item in whole)
        async with self._trials.noted(connection, TIMER_TOPIC, None) as before:
            if before.deaths >= attempts.STRETCH - 1:
                await self._stage.pause(self._stage.unproven_seconds)
                for one in whole:
                    await self._alone(connection, one)
            else:
                for part in [[one] for one in whole] if alone else [whole]:
                    async with self._stage.solitude.together():
                        await self._fire(connection, part)
        return len(due)

    async def _alone(self, connection: asyncpg.Connection, one: tuple[Timer, Item]) -> None:
        """Fire a timer with nothing beside it; the fourth process sets aside what killed three."""
        _, item = one
        place = f"{TIMER_TOPIC}/{item.event.event_id if item.event else ''}"
        async with self._trials.alone(connection, place, None) as before:
            if is_killer(before):
                item.failure = DataError("E-BUG", detail=KILLED)
                self._stage.alarms.sound(TIMER_SET_ASIDE, place, KILLED)
            await self._fire(connection, [one])

    async def _fire(self, connection: asyncpg.Connection, fired: list[tuple[Timer, Item]]) -> None:
        for attempt in range(_CONFLICTS):
            try:
                await self._transact(connection, fired)
            except (ConflictError, asyncpg.UniqueViolationError) as error:
                RETRIES.labels(type(error).__name__).inc()
                await asyncio.sleep(0.002 * attempt)
            except DoomedError as doomed:
                doomed.mark()
            except CrashedError as crash:
                await self._crash(connection, crash.item, crash)
            else:
                return
        raise ConflictError("timers")

    async def _transact(
        self, connection: asyncpg.Connection, fired: list[tuple[Timer, Item]]
    ) -> None:
        stage = self._stage
        async with UnitOfWork(
            connection, now=stage.now(), subscriptions=stage.subscriptions
        ) as unit:

            async def claim() -> set[str]:
                kept = await unit.claim_timers([timer for timer, _ in fired])
                return {
                    item.event.event_id for timer, item in fired if item.event and timer.key in kept
                }

            outcome = await Batch(unit, stage.wiring).run([item for _, item in fired], claim)
            await unit.write(outcome)
            passed("timer.fired", connection.terminate)
        self._progress.moved()
        if outcome.outbox:
            stage.bell.set()
        BATCHES.labels("timers").inc()
        for row in outcome.seen:
            EVENTS.labels("timers", row.disposition).inc()

    async def _crash(
        self, connection: asyncpg.Connection, item: Item, error: BaseException
    ) -> None:
        event_id = item.event.event_id if item.event else None
        crash = crashes.Crash(TIMER_TOPIC, 0, 0, event_id, where(error))
        count = await crashes.record(connection, crash, None, now=self._stage.now())
        if count <= crashes.TOLERATED:
            raise self._stage.end(f"crash {count} at {crash.place}", error) from error
        self._stage.alarms.sound(TIMER_SET_ASIDE, crash.place, crash.error)
        item.failure = DataError("E-BUG", detail=crash.error)
