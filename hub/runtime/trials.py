"""Trials: a record that processes may have died at is tried alone, and the trial put on record.

Only what a record does alone is held against it: nothing else of the worker decides meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from hub.runtime.stages import Stage
from hub.store import attempts
from hub.store.attempts import DEATHS, Attempt, portion_at
from hub.store.claims import Claim

KILLED = f"killed {DEATHS} processes"
"""Detail of the dead letter."""


class Trials:
    """The trials of one lane.

    Args:
        stage: The worker's surroundings.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._survived: set[str] = set()

    @asynccontextmanager
    async def alone(
        self, connection: asyncpg.Connection, place: str, claim: Claim | None
    ) -> AsyncIterator[Attempt]:
        """Try a record with nothing beside it.

        Args:
            connection: Outside a transaction.
            place: Names the record.
            claim: On its partition; None for a timer.
        """
        async with self._stage.solitude.alone(), self.noted(connection, place, claim) as before:
            yield before

    @asynccontextmanager
    async def portion(self, connection: asyncpg.Connection, claim: Claim) -> AsyncIterator[None]:
        """Work the portion that begins where a claim stands, with nothing beside it.

        Args:
            connection: Outside a transaction.
            claim: On its partition.
        """
        place = portion_at(claim.record)
        async with self._stage.solitude.alone(), self.noted(connection, place, claim):
            yield

    @asynccontextmanager
    async def noted(
        self, connection: asyncpg.Connection, place: str, claim: Claim | None
    ) -> AsyncIterator[Attempt]:
        """Have the attempt on record while it lasts."""
        await self._settle(connection)
        now = self._stage.now()
        before = await attempts.begin(connection, place, claim, owner=self._stage.owner, now=now)
        try:
            yield before
        finally:
            # An exception is no death. The row goes away now, or as soon as the database answers.
            self._survived.add(place)
        await self._settle(connection)

    async def _settle(self, connection: asyncpg.Connection) -> None:
        for place in tuple(self._survived):
            await attempts.end(connection, place)
            self._survived.discard(place)


def is_killer(before: Attempt) -> bool:
    """Whether so many processes died at a record, alone, that it is tried no more."""
    return before.deaths >= DEATHS
