"""Opening balance: who is on roll when a hub starts, put on record without any effect.

Facts, rights already served and the last rows of every roster (ruling: a later change of
somebody on roll must create no new referral, and deltas start from what recipients have).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import islice
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
from hub.store.audit import AuditRow, append
from hub.store.openings import LOADED
from hub.store.unit_of_work import Outcome, UnitOfWork

CHUNK = 200
"""Households of one transaction."""


async def load_opening(
    connection: asyncpg.Connection,
    homes: Iterable[Sequence[OpeningRow]],
    profile: Profile,
    *,
    now: int,
    actor: str,
    name: str,
    matter: str | None = None,
    start: int = 0,
    told: Callable[[int, int], None] = lambda _households, _people: None,
) -> None:
    """Load households, some in each transaction; loading them again changes nothing.

    Args:
        connection: Outside a transaction.
        homes: Rows of a whole household each, read as they are needed.
        profile: Of the place.
        now: ms since 1970, by the hub's clock.
        actor: Who loads it, for the audit.
        name: Name of the file, for the audit.
        matter: Of ``matter_of``; the audit has under it how far the file was loaded.
        start: Households of the file that were loaded before; ``homes`` is without them.
        told: Hears after each transaction how many households and people it put on record.
    """
    through, upcoming = start, iter(homes)
    while part := list(islice(upcoming, CHUNK)):
        people = [row for home in part for row in home]
        through += len(part)
        async with UnitOfWork(connection, now=now, subscriptions=set()) as unit:
            uids = frozenset(row.uid for row in people)
            await unit.load(Keys(uids=uids, households=frozenset(r.household for r in people)))
            balance(unit.state, people, Context(now, profile))
            doc = {"file": name, "households": len(part), "people": len(people)}
            entry = _entry(actor, matter, {**doc, "through": through})
            await unit.write(Outcome(audit=[entry]))
        told(len(part), len(people))
    if through == start:
        doc = {"file": name, "households": 0, "people": 0, "through": through}
        await append(connection, _entry(actor, matter, doc), now=now)


def matter_of(digest: str, profile: Profile) -> str:
    """The mark of a file's load: another content or profile is loaded from its begin."""
    return f"roster:{sha256(f'{digest}:{profile.version}'.encode()).hexdigest()[:32]}"


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


def _entry(actor: str, matter: str | None, doc: dict[str, Any]) -> AuditRow:
    text = msgspec.json.encode(doc).decode()
    return AuditRow(LOADED, actor, None, None, None, None, matter, text)
