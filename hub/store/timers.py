"""Timers: rows that become events when their time has come."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import asyncpg
import msgspec

from hub.model.decisions import Schedule

_PAYLOAD = msgspec.json.Decoder(dict[str, Any])


class Timer(msgspec.Struct, gc=False):
    """One timer.

    Attributes:
        key: Unique; scheduling the same key again replaces the timer.
        due_at: ms since 1970.
        kind: It fires as ``timer.<kind>``.
        payload: For the decider.
        cause: event_id of the event that set it.
        correlation: The matter.
        uid: The person concerned.
        household: The household concerned.
        jurisdiction: Division code.
    """

    key: str
    due_at: int
    kind: str
    payload: dict[str, Any]
    cause: str
    correlation: str
    uid: bytes | None
    household: str | None
    jurisdiction: str


async def write(connection: asyncpg.Connection, changes: dict[str, Timer | None]) -> None:
    """Set timers, and drop those whose value is None; in key order."""
    dropped = sorted(key for key, timer in changes.items() if timer is None)
    if dropped:
        await connection.execute("DELETE FROM timer WHERE key = ANY($1)", dropped)
    rows = [timer for _, timer in sorted(changes.items()) if timer is not None]
    if not rows:
        return
    await connection.execute(
        "INSERT INTO timer (key, due_at, kind, payload, cause, correlation, uid, household,"
        " jurisdiction) SELECT k, d, i, p::jsonb, c, o, u, h, j FROM unnest($1::text[],"
        " $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[],"
        " $9::text[]) AS given (k, d, i, p, c, o, u, h, j)"
        " ON CONFLICT (key) DO UPDATE SET due_at = excluded.due_at, kind = excluded.kind,"
        " payload = excluded.payload, cause = excluded.cause,"
        " correlation = excluded.correlation, uid = excluded.uid,"
        " household = excluded.household, jurisdiction = excluded.jurisdiction",
        [row.key for row in rows],
        [row.due_at for row in rows],
        [row.kind for row in rows],
        [msgspec.json.encode(row.payload).decode() for row in rows],
        [row.cause for row in rows],
        [row.correlation for row in rows],
        [row.uid for row in rows],
        [row.household for row in rows],
        [row.jurisdiction for row in rows],
    )


async def start(connection: asyncpg.Connection, wanted: Collection[Schedule]) -> None:
    """Set timers that stand from the start; those already set, or fired before, stay as they are.

    A key fires only once as a starting timer: what it fires as is remembered among seen events.
    """
    for one in wanted:
        await connection.execute(
            "INSERT INTO timer (key, due_at, kind, payload, cause, correlation, jurisdiction)"
            " VALUES ($1, $2, $3, $4, '', '', '') ON CONFLICT (key) DO NOTHING",
            one.key,
            one.at,
            one.kind,
            msgspec.json.encode(one.payload).decode(),
        )


async def due(connection: asyncpg.Connection, now: int, limit: int) -> list[Timer]:
    """Timers that are due, the oldest first; not locked."""
    rows = await connection.fetch(
        "SELECT key, due_at, kind, payload::text, cause, correlation, uid, household,"
        " jurisdiction FROM timer WHERE due_at <= $1 ORDER BY due_at, key LIMIT $2",
        now,
        limit,
    )
    return [_timer(row) for row in rows]


async def claim(connection: asyncpg.Connection, timers: Collection[Timer]) -> set[str]:
    """Keys of those timers that still stand as read; removed with the transaction.

    Taken after the records' locks, as a lane that cancels a timer takes them in that order too.
    Rows that another transaction holds are left to it.
    """
    rows = await connection.fetch(
        "DELETE FROM timer WHERE key IN (SELECT t.key FROM timer t"
        " JOIN unnest($1::text[], $2::bigint[]) AS given (key, due_at) USING (key, due_at)"
        " ORDER BY t.key FOR UPDATE OF t SKIP LOCKED) RETURNING key",
        [timer.key for timer in timers],
        [timer.due_at for timer in timers],
    )
    return {row[0] for row in rows}


def _timer(row: asyncpg.Record) -> Timer:
    key, due_at, kind, payload, *rest = row
    return Timer(key, due_at, kind, _PAYLOAD.decode(payload), *rest)
