"""Look-ups of persons: what is on record of one, and how often somebody asked."""

from __future__ import annotations

from typing import NamedTuple

import asyncpg
import msgspec

from hub.store.audit import AuditRow, append

KIND = "person.looked_up"


class Matter(NamedTuple):
    """One thing on record about a person, without the person.

    Attributes:
        what: ``referral``, ``case`` or ``task``.
        ref: Its id.
        kind: Program of a referral, kind of work.
        state: Its state.
        at: When it was opened, ms since 1970.
    """

    what: str
    ref: str
    kind: str
    state: str
    at: int


class Asked(NamedTuple):
    """How often somebody looked persons up: in the last minute, hour, and in vain in that hour."""

    minute: int
    hour: int
    in_vain: int


async def asked(connection: asyncpg.Connection, actor: str, *, now: int) -> Asked:
    """Look-ups of one account; others of the same account wait until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 18))", actor)
    row = await connection.fetchrow(
        "SELECT count(*) FILTER (WHERE at > $3), count(*),"
        " count(*) FILTER (WHERE doc->>'found' = '0') FROM audit"
        " WHERE actor <> 'hub' AND actor = $1 AND kind = $2 AND at > $4",
        actor, KIND, now - 60_000, now - 3_600_000,
    )  # fmt: skip
    return Asked(*row) if row else Asked(0, 0, 0)


async def matters(connection: asyncpg.Connection, uid: bytes, *, limit: int) -> list[Matter]:
    """What is on record about a person and about the household as a whole, the newest first.

    A meter and a house are the household's: what hangs on them names no person.
    """
    rows = await connection.fetch(
        "WITH home AS (SELECT json_array_elements_text(households) AS id FROM person"
        " WHERE uid = $1)"
        " SELECT 'referral', id, program, state, opened_at FROM referral"
        " WHERE uid = $1 OR (uid IS NULL AND household IN (SELECT id FROM home))"
        " UNION ALL SELECT 'case', id, kind, state, opened_at FROM case_file"
        " WHERE uid = $1 OR (uid IS NULL AND household IN (SELECT id FROM home))"
        " UNION ALL SELECT 'task', id, kind, state, opened_at FROM task"
        " WHERE uid = $1 OR (uid IS NULL AND household IN (SELECT id FROM home))"
        " ORDER BY 5 DESC, 2 LIMIT $2",
        uid,
        limit,
    )
    return [Matter(*row) for row in rows]


async def note(
    connection: asyncpg.Connection, actor: str, uid: bytes, *, reason: str, found: int, now: int
) -> None:
    """Put a look-up on record, with the person it was about in the column that no page shows."""
    doc = msgspec.json.encode({"reason": reason, "found": found}).decode()
    await append(connection, AuditRow(KIND, actor, None, None, uid, None, None, doc), now=now)
