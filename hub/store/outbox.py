"""Outbox: what a batch wants to leave the hub, committed together with the batch."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg
import msgspec

from hub.model.outbox import OutboxRow


async def write(connection: asyncpg.Connection, rows: Collection[OutboxRow]) -> None:
    """Queue rows in this order."""
    await connection.execute(
        "INSERT INTO outbox (subscription, topic, copy_id, key, headers, body, person_key,"
        " event_id, type, created_at, referral_id, fields, occurred_at)"
        " SELECT s, t, c, k, h, b, p, e, y, cr, r, f::jsonb, o FROM unnest($1::text[],"
        " $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[],"
        " $8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::bigint[])"
        " WITH ORDINALITY AS given (s, t, c, k, h, b, p, e, y, cr, r, f, o, place) ORDER BY place",
        [row.subscription for row in rows],
        [row.topic for row in rows],
        [row.copy_id for row in rows],
        [row.key for row in rows],
        [row.headers for row in rows],
        [row.body for row in rows],
        [row.person_key for row in rows],
        [row.event_id for row in rows],
        [row.type for row in rows],
        [row.created for row in rows],
        [row.referral_id for row in rows],
        [msgspec.json.encode(row.fields).decode() for row in rows],
        [row.occurred for row in rows],
    )


async def is_waiting(connection: asyncpg.Connection) -> bool:
    """Whether anything is queued; an idle relay asks this instead of locking rows."""
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM outbox)")
    return found


async def waiting(connection: asyncpg.Connection) -> dict[str, int]:
    """Rows not yet taken by a relay, by subscription."""
    rows = await connection.fetch("SELECT subscription, count(*) FROM outbox GROUP BY 1")
    return {row[0]: row[1] for row in rows}
