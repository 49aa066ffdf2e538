"""Loading: the records a batch needs, locked in the one order everybody keeps.

Households first, then persons, each in key order. Which household a person belongs to is read
without a lock, and looked at again once the person is locked. Everything else (ledger rows,
cases, tasks, lists, decisions, rosters) lies under one of those locks or is protected by its
revision.
"""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from hub.model.states import Keys, State
from hub.store import gates
from hub.store.records import Revisions, put_absent, tables

_HOUSEHOLDS = msgspec.json.Decoder(list[str])


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
        wanted = Keys(*(getattr(keys, f) - getattr(loaded, f) for f in keys.__struct_fields__))
        await self._pass_gates(wanted)
        uids, households = await self._reach(wanted)
        locked_uids, locked = await self._lock(uids, households)
        await self._ledger(wanted, locked_uids, locked)
        await self._others(wanted)
        self.state.loaded = (
            loaded | wanted | Keys(uids=frozenset(locked_uids), households=frozenset(locked))
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

    async def _reach(self, wanted: Keys) -> tuple[set[bytes], set[str]]:
        """Persons and households behind the keys, unlocked."""
        uids, households = set(wanted.uids), set(wanted.households)
        if wanted.referrals or wanted.subjects:
            rows = await self._connection.fetch(
                "SELECT uid, household FROM referral WHERE id = ANY($1) OR subject_ref = ANY($2)",
                list(wanted.referrals),
                list(wanted.subjects),
            )
            uids.update(row["uid"] for row in rows if row["uid"] is not None)
            households.update(row["household"] for row in rows if row["household"] is not None)
        if uids:
            rows = await self._connection.fetch(
                "SELECT households::text FROM person WHERE uid = ANY($1)", list(uids)
            )
            for (text,) in rows:
                if text != "[]":
                    households.update(_HOUSEHOLDS.decode(text))
        return uids, households

    async def _lock(self, asked: set[bytes], households: set[str]) -> tuple[set[bytes], set[str]]:
        uids, locked = set(asked), set[str]()
        persons: set[bytes] = set()
        while True:
            new = households - locked - self.state.loaded.households
            if new:
                rows = await self._fetch(
                    "household", "WHERE id = ANY($1) ORDER BY id FOR UPDATE", sorted(new)
                )
                for household in rows:
                    uids.update(household.uids)
            locked |= households
            missing = uids - persons - self.state.loaded.uids
            persons |= uids
            if missing:
                rows = await self._fetch(
                    "person", "WHERE uid = ANY($1) ORDER BY uid FOR UPDATE", sorted(missing)
                )
                # A person asked for may have moved in between; members that merely came along
                # bring no further household.
                households = {h for p in rows if p.uid in asked for h in p.households}
            if not missing or households <= locked:
                return persons, locked

    async def _ledger(self, wanted: Keys, uids: set[bytes], households: set[str]) -> None:
        if uids or households or wanted.referrals or wanted.subjects:
            await self._fetch(
                "referral",
                "WHERE uid = ANY($1) OR household = ANY($2) OR id = ANY($3)"
                " OR subject_ref = ANY($4)",
                list(uids),
                list(households),
                list(wanted.referrals),
                list(wanted.subjects),
            )
        if uids:
            await self._fetch("interest", "WHERE uid = ANY($1)", list(uids))
        if uids or households:
            where = "WHERE uid = ANY($1) OR household = ANY($2)"
            for table in ("case_file", "task", "roster_row"):
                await self._fetch(table, where, list(uids), list(households))

    async def _others(self, wanted: Keys) -> None:
        if wanted.decisions:
            await self._fetch(
                "decision", "WHERE id = ANY($1) ORDER BY id FOR UPDATE", sorted(wanted.decisions)
            )
        if wanted.told:
            await self._fetch(
                "told", "WHERE id = ANY($1) ORDER BY id FOR UPDATE", sorted(wanted.told)
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
