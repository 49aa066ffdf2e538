"""Loading: the records a batch needs, locked in the one order everybody keeps.

Households first, then persons, each in key order. Which household a person belongs to is read
without a lock, and looked at again once the person is locked. Everything else (ledger rows,
cases, tasks, lists, decisions, rosters) lies under one of those locks or is protected by its
revision; what hangs on persons and households comes in one statement. Nobody has a ledger row
who is not on record as a person, so most people of a city cost one look.
"""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from typing import Any

import asyncpg
import msgspec

from hub.model.states import Keys, State
from hub.store import gates
from hub.store.records import Revisions, put_absent, tables

_HOUSEHOLDS = msgspec.json.Decoder(list[str])
_FIELDS = tuple(map(attrgetter, Keys.__struct_fields__))
_HANGING = {
    "referral": "uid = ANY($1) OR household = ANY($2) OR id = ANY($3) OR subject_ref = ANY($4)",
    "interest": "uid = ANY($1)",
    "case_file": "uid = ANY($1) OR household = ANY($2)",
    "task": "uid = ANY($1) OR household = ANY($2)",
    "roster_row": "uid = ANY($1) OR household = ANY($2)",
    # A correction writes the row of its original even where nobody was told; of two that race,
    # the second finds another revision.
    "told": "id = ANY($5)",
}


@cache
def _ledger() -> str:
    """One statement over all tables: name of the table and its row."""
    return " UNION ALL ".join(
        f"SELECT '{name}', {tables()[name].row} FROM {name} WHERE {where}"  # noqa: S608
        for name, where in _HANGING.items()
    )


class Loader:
    """Loads into the state of one batch; asked again, it loads only what is missing.

    Args:
        connection: Inside the batch's transaction.
        state: What the deciders read.
    """

    def __init__(self, connection: asyncpg.Connection, state: State) -> None:
        self._connection = connection
        self.state = state
        self.revisions: Revisions = {}

    async def load(self, keys: Keys) -> None:
        """Load and lock; rows that do not exist are simply absent afterwards."""
        loaded = self.state.loaded
        wanted = Keys(*(of(keys) - of(loaded) for of in _FIELDS))
        await self._pass_gates(wanted)
        asked, known, households = await self._reach(wanted)
        alone = wanted.persons - asked
        uids, present, locked = await self._lock(asked, known, households, alone)
        await self._ledger(wanted, present, locked)
        await self._others(wanted)
        self.state.loaded = (
            loaded | wanted | Keys(uids=frozenset(uids), households=frozenset(locked))
        )

    async def _pass_gates(self, wanted: Keys) -> None:
        """Wait for lanes that settle rows of the same list, or write what a snapshot reads."""
        names = {f"list:{source}:{list_ref}" for source, list_ref in wanted.lists}
        if wanted.recipients:
            names.add(gates.ROSTERS)
        if names:
            await gates.alone(self._connection, names)

    async def _fetch(self, table: str, where: str, *values: Any) -> list[Any]:
        found = tables()[table]
        rows = await self._connection.fetch(f"{found.select} {where}", *values)
        return put_absent(self.state, found, rows, self.revisions)

    async def _reach(self, wanted: Keys) -> tuple[set[bytes], set[bytes], set[str]]:
        """Persons behind the keys, those on record, and their households; unlocked."""
        uids, households = set(wanted.uids), set(wanted.households)
        if wanted.referrals or wanted.subjects:
            rows = await self._connection.fetch(
                "SELECT uid, household FROM referral WHERE id = ANY($1) OR subject_ref = ANY($2)",
                list(wanted.referrals),
                list(wanted.subjects),
            )
            uids.update(row["uid"] for row in rows if row["uid"] is not None)
            households.update(row["household"] for row in rows if row["household"] is not None)
        known = set[bytes]()
        if uids:
            rows = await self._connection.fetch(
                "SELECT uid, households::text FROM person WHERE uid = ANY($1)", list(uids)
            )
            for uid, text in rows:
                known.add(uid)
                if text != "[]":
                    households.update(_HOUSEHOLDS.decode(text))
        return uids, known, households

    async def _lock(
        self, asked: set[bytes], known: set[bytes], households: set[str], alone: frozenset[bytes]
    ) -> tuple[set[bytes], set[bytes], set[str]]:
        """Lock households, then persons, until no further household turns up.

        Args:
            asked: Persons to be loaded with what hangs on them.
            known: Those of them on record.
            households: Theirs, and others asked for.
            alone: Persons whose record alone is needed.

        Returns:
            Persons looked at, those of them on record, households looked at.
        """
        uids, locked = set(asked), set[str]()
        persons, present = set[bytes](), set[bytes]()
        # Somebody who is not on record yet has no row to lock; the revision guards a new one.
        absent = asked - known
        while True:
            new = households - locked - self.state.loaded.households
            if new:
                rows = await self._fetch(
                    "household", "WHERE id = ANY($1) ORDER BY id FOR UPDATE", sorted(new)
                )
                for household in rows:
                    uids.update(household.uids)
                    absent.difference_update(household.uids)
            locked |= households
            missing = uids - persons - absent - self.state.loaded.uids
            persons |= missing
            if wanted := missing | alone:
                rows = await self._fetch(
                    "person", "WHERE uid = ANY($1) ORDER BY uid FOR UPDATE", sorted(wanted)
                )
                alone = frozenset()
                present.update(person.uid for person in rows if person.uid in uids)
                # A person asked for may have moved in between; members that merely came along
                # bring no further household.
                households = {h for p in rows if p.uid in asked for h in p.households}
            if not missing or households <= locked:
                return uids, present, locked

    async def _ledger(self, wanted: Keys, present: set[bytes], households: set[str]) -> None:
        """Everything that hangs on persons and households, and who was told of what."""
        asked = present, households, wanted.referrals, wanted.subjects, wanted.told
        if not any(asked):
            return
        found: dict[str, list[Any]] = {}
        for name, row in await self._connection.fetch(_ledger(), *asked):
            found.setdefault(name, []).append(row)
        for name, rows in found.items():
            put_absent(self.state, tables()[name], rows, self.revisions)

    async def _others(self, wanted: Keys) -> None:
        if wanted.decisions:
            await self._fetch(
                "decision", "WHERE id = ANY($1) ORDER BY id FOR UPDATE", sorted(wanted.decisions)
            )
        if wanted.lists:
            pairs = sorted(wanted.lists)
            await self._fetch(
                "list_row",
                "WHERE (source, list_ref) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
                [source for source, _ in pairs],
                [list_ref for _, list_ref in pairs],
            )
        if wanted.recipients:
            await self._fetch("roster_row", "WHERE recipient = ANY($1)", sorted(wanted.recipients))
