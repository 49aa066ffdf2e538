"""Outbox: what a batch wants to leave the hub, committed together with the batch."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg
import msgspec

from hub.model.outbox import OutboxRow

_encode = msgspec.json.Encoder().encode
_COLUMNS = (
    "subscription",
    "topic",
    "copy_id",
    "key",
    "headers",
    "body",
    "person_key",
    "event_id",
    "type",
    "created_at",
    "referral_id",
    "fields",
    "occurred_at",
)


async def write(connection: asyncpg.Connection, rows: Collection[OutboxRow]) -> None:
    """Queue rows in this order."""
    await connection.copy_records_to_table(
        "outbox",
        records=[
            (
                row.subscription,
                row.topic,
                row.copy_id,
                row.key,
                row.headers,
                row.body,
                row.person_key,
                row.event_id,
                row.type,
                row.created,
                row.referral_id,
                _encode(row.fields).decode(),
                row.occurred,
            )
            for row in rows
        ],
        columns=_COLUMNS,
    )


async def is_waiting(connection: asyncpg.Connection) -> bool:
    """Whether anything is queued; an idle relay asks this instead of locking rows."""
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM outbox)")
    return found


async def waiting(connection: asyncpg.Connection) -> dict[str, int]:
    """Rows not yet taken by a relay, by subscription."""
    rows = await connection.fetch("SELECT subscription, count(*) FROM outbox GROUP BY 1")
    return {row[0]: row[1] for row in rows}
