"""Unit of work: one decide transaction. Either all of a batch happened, or none of it."""

from __future__ import annotations

from collections.abc import Collection
from types import TracebackType
from typing import Self

import asyncpg
import msgspec

from hub.kernel.failpoints import answered, passed
from hub.model.outbox import OutboxRow
from hub.model.records import RosterRow
from hub.model.states import Keys, State
from hub.store import audit, claims, dead_letters, gates, outbox, seen, subscriptions, timers
from hub.store.dead_letters import Settling
from hub.store.loading import Loader
from hub.store.records import write_dirty


class Outcome(msgspec.Struct):
    """What a batch leaves behind besides changed records."""

    seen: list[seen.Seen] = []
    again: set[str] = set()
    """Ids of events that are on record as dead letters and were decided once more."""
    outbox: list[OutboxRow] = []
    timers: dict[str, timers.Timer | None] = {}
    audit: list[audit.AuditRow] = []
    dead_letters: list[dead_letters.DeadLetterRow] = []
    settled: list[Settling] = []
    """What was decided; it settles the dead letters of its records."""


class UnitOfWork:
    """An asynchronous context: commits at its end, rolls back on any exception.

    Args:
        connection: The lane's own.
        now: ms since 1970, the one instant of this batch.
        subscriptions: Ids known to be on record; shared by batches, grows after commits.
    """

    def __init__(
        self, connection: asyncpg.Connection, *, now: int, subscriptions: set[str]
    ) -> None:
        self._connection = connection
        self._cut = connection.terminate
        self._transaction = connection.transaction()
        self._known_subscriptions = subscriptions
        self._new_subscriptions: dict[str, str] = {}
        self.now = now
        self.state = State()
        self._loader = Loader(connection, self.state)

    async def __aenter__(self) -> Self:
        await self._transaction.start()
        passed("batch.begin", self._cut)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            passed("batch.commit", self._cut)
            await self._transaction.commit()
            answered("batch.commit", self._cut)
            self._known_subscriptions.update(self._new_subscriptions)
            passed("batch.committed", self._cut)
        elif not self._connection.is_closed():
            try:
                await self._transaction.rollback()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as second:
                # The first error is the cause; this one only says that the line is dead too.
                error.add_note(f"rollback: {type(second).__name__}")

    async def fence(self, moves: Collection[tuple[claims.Claim, int]]) -> None:
        """Move the offsets; see :func:`hub.store.claims.fence`."""
        await claims.fence(self._connection, moves, now=self.now)
        passed("batch.claim", self._cut)

    async def known(self, wanted: Collection[tuple[int, str]]) -> dict[str, tuple[bytes, str]]:
        """Events seen before; see :func:`hub.store.seen.known`."""
        found = await seen.known(self._connection, wanted) if wanted else {}
        passed("batch.seen", self._cut)
        return found

    async def load(self, keys: Keys) -> None:
        """Load and lock records into :attr:`state`."""
        await self._loader.load(keys)

    async def claim_timers(self, due: Collection[timers.Timer]) -> set[str]:
        """Take timers off the record; see :func:`hub.store.timers.claim`."""
        taken = await timers.claim(self._connection, due)
        passed("timer.claimed", self._cut)
        return taken

    async def write(self, outcome: Outcome) -> None:
        """Write the changed records and everything else the batch leaves.

        Raises:
            ConflictError: somebody else wrote a row this batch had read.
        """
        connection = self._connection
        if any(table == RosterRow.TABLE for table, _ in self.state.dirty):
            await gates.together(connection, gates.ROSTERS)
        await write_dirty(connection, self.state, self._loader.revisions)
        passed("batch.state", self._cut)
        if outcome.seen:
            await seen.write(connection, outcome.seen, now=self.now, again=outcome.again)
        if outcome.timers:
            await timers.write(connection, outcome.timers)
        passed("batch.timer", self._cut)
        if outcome.outbox:
            await self._queue(outcome.outbox)
        passed("batch.outbox", self._cut)
        if outcome.settled:
            await dead_letters.settle(connection, outcome.settled, now=self.now)
        if outcome.dead_letters:
            await dead_letters.write(connection, outcome.dead_letters)
        if outcome.audit:
            await audit.write(connection, outcome.audit, now=self.now)
        passed("batch.audit", self._cut)

    async def _queue(self, rows: list[OutboxRow]) -> None:
        self._new_subscriptions = {
            row.subscription: row.topic
            for row in rows
            if row.subscription not in self._known_subscriptions
        }
        if self._new_subscriptions:
            await subscriptions.ensure(self._connection, self._new_subscriptions)
        await outbox.write(self._connection, rows)
