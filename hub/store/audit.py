"""Audit: one row for every decision with an effect, every copy that left or was denied.

Rows are only appended. ``hash`` has room for a chain that a single job computes afterwards, so
that no batch waits for another one's row.
"""

from __future__ import annotations

from collections.abc import Collection

import asyncpg
import msgspec


class AuditRow(msgspec.Struct, gc=False):
    """One entry.

    Attributes:
        kind: ``decision``, ``denied``, ``dead_letter``, ``settled``, or an operator's act.
        actor: ``hub``, or who did it.
        event_id: The causing event.
        type: Its type.
        uid: The person concerned.
        household: The household concerned.
        correlation: The matter.
        doc: JSON: rules, versions, facts, effects; never a name or an ID number.
    """

    kind: str
    actor: str
    event_id: str | None
    type: str | None
    uid: bytes | None
    household: str | None
    correlation: str | None
    doc: str


async def write(connection: asyncpg.Connection, rows: Collection[AuditRow], *, now: int) -> None:
    """Append rows."""
    await connection.execute(
        "INSERT INTO audit (at, kind, actor, event_id, type, uid, household, correlation, doc)"
        " SELECT $9, k, a, e, t, u, h, c, d::jsonb FROM unnest($1::text[], $2::text[],"
        " $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[])"
        " AS given (k, a, e, t, u, h, c, d)",
        *zip(*map(msgspec.structs.astuple, rows), strict=True),
        now,
    )
