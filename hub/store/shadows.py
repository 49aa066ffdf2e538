"""Shadows: units of work in which every event counts as new, and what was already sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import asyncpg

from hub.model.states import State
from hub.store.loading import Loader
from hub.store.unit_of_work import UnitOfWork


class ReplayUnit(UnitOfWork):
    """A unit that decides seen events again; :attr:`before` tells what became of them then.

    It moves no offset. Whoever only wants to look raises an exception at the end of its context.
    """

    before: dict[str, tuple[bytes, str]]

    async def known(self, wanted: Collection[tuple[int, str]]) -> dict[str, tuple[bytes, str]]:
        """None of the events; see :attr:`before`."""
        self.before = await super().known(wanted)
        return {}

    def forget(self) -> None:
        """Drop what was decided so far and begin again in the same transaction."""
        self.state = State()
        self._loader = Loader(self._connection, self.state)


async def sent(connection: asyncpg.Connection, events: Collection[str]) -> set[str]:
    """Ids of the copies and hub facts that events have caused, queued ones too."""
    rows = await connection.fetch(
        "SELECT copy_id FROM delivery WHERE event_id = ANY($1)"
        " UNION SELECT copy_id FROM outbox WHERE event_id = ANY($1)",
        list(events),
    )
    return {row[0] for row in rows}


async def standings(
    connection: asyncpg.Connection, referrals: Collection[str]
) -> dict[str, tuple[str, str | None]]:
    """State and state of the stop notice of those referrals that are on record."""
    rows = await connection.fetch(
        "SELECT id, state, stop_state FROM referral WHERE id = ANY($1)", list(referrals)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


async def versions(connection: asyncpg.Connection, events: Collection[str]) -> Counter[str]:
    """Versions of the rules under which events were decided, each with its count."""
    rows = await connection.fetch(
        "SELECT doc->'because'->0->>2, count(*) FROM audit"
        " WHERE event_id = ANY($1) AND kind = 'decision'"
        " AND json_array_length(doc->'because') > 0 GROUP BY 1",
        list(events),
    )
    return Counter({row[0] or "": row[1] for row in rows})
