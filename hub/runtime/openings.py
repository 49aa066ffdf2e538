"""Opening balance: who is on roll when a hub starts, put on record without any effect.

Facts, rights already served and the last rows of every roster (ruling: a later change of
somebody on roll must create no new referral, and deltas start from what recipients have).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import msgspec

from hub.model.contexts import Context
from hub.model.facts import record
from hub.model.households import view_of
from hub.model.openings import OpeningRow, opening_events
from hub.model.states import Keys, State
from hub.referrals.openings import served
from hub.rosters.openings import last_rows
from hub.sdk.profiles import Profile
from hub.store.audit import AuditRow
from hub.store.unit_of_work import Outcome, UnitOfWork

CHUNK = 200
"""Households of one transaction."""


async def load_opening(
    connection: asyncpg.Connection,
    rows: Sequence[OpeningRow],
    profile: Profile,
    *,
    now: int,
    actor: str,
    name: str,
) -> None:
    """Load a roster file; loading it again changes nothing.

    Args:
        connection: Outside a transaction.
        rows: People on roll.
        profile: Of the place.
        now: ms since 1970, by the hub's clock.
        actor: Who loads it, for the audit.
        name: Name of the file, for the audit.
    """
    homes: dict[str, list[OpeningRow]] = {}
    for row in rows:
        homes.setdefault(row.household, []).append(row)
    names = sorted(homes)
    for start in range(0, len(names), CHUNK):
        part = names[start : start + CHUNK]
        people = [row for home in part for row in homes[home]]
        async with UnitOfWork(connection, now=now, subscriptions=set()) as unit:
            uids = frozenset(row.uid for row in people)
            await unit.load(Keys(uids=uids, households=frozenset(part)))
            balance(unit.state, people, Context(now, profile))
            doc = {"file": name, "households": len(part), "people": len(people)}
            await unit.write(Outcome(audit=[_entry(actor, doc)]))


def balance(state: State, rows: Iterable[OpeningRow], ctx: Context) -> None:
    """Put the opening balance into a state: facts, served rights, last rows; no effects.

    What is on record already stays.

    Raises:
        Need: a household or person is not loaded.
    """
    listed = list(rows)
    for event in opening_events(listed, ctx):
        state.apply(record(state, event, ctx).changes)
    for home in dict.fromkeys(row.household for row in listed):
        view = view_of(state, home, ctx.profile.roll)
        known = set(state.referrals) | {
            (uid, *key) for uid, interests in state.interests.items() for key in interests
        }
        found: list[Any] = [
            one
            for one in served(view, ctx)
            if (one.id if hasattr(one, "id") else (one.uid, one.program, one.valid_from))
            not in known
        ]
        found += [r for r in last_rows(view, ctx) if r.row_key not in state.rosters[r.recipient]]
        state.apply(tuple(found))


def _entry(actor: str, doc: dict[str, Any]) -> AuditRow:
    text = msgspec.json.encode(doc).decode()
    return AuditRow("roster_load", actor, None, None, None, None, None, text)
