"""Numberings: generations of sequence numbers, so that a restore reuses no number.

A database that was put back to an earlier moment has forgotten numbers that receivers hold. Were
it to go on counting, two copies would bear one number. So the numbering goes on in a new
generation, from 1, as soon as a restore is noticed or declared, and before anything is numbered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg

from hub.store import audit
from hub.store.connections import count_of
from hub.store.subscriptions import Subscription

COPIED = "another database"
OUTRUN = "receivers hold later numbers"

Number = tuple[int, int]
"""Generation and sequence number."""

MOST = 2**31 - 2
"""The highest generation believed from outside."""

LIFE = (
    "SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),"
    " left(pg_walfile_name(pg_current_wal_lsn()), 8),"
    " (SELECT oid FROM pg_database WHERE datname = current_database()))"
)
_DECLARE = (
    "UPDATE subscription SET next_generation = generation + 1, epoch = epoch + 1, owner = '',"
    " leased_until = '-infinity' WHERE next_seq > 1 AND next_generation IS NULL"
)


async def recognise(connection: asyncpg.Connection, *, now: int) -> bool:
    """Compare this database with the one that was written to last.

    A dump or a base backup that was restored, a copy of the database and a promoted standby all
    differ from it in cluster, timeline or object id.

    Args:
        connection: Outside a transaction.
        now: ms since 1970.

    Returns:
        Whether another one was put in its place just now; numbers then go on in a new generation.
    """
    life = await connection.fetchval(LIFE)
    if await connection.fetchval("SELECT life FROM database_life") == life:
        return False
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO database_life (life, noticed_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            life,
            now,
        )
        known = await connection.fetchval("SELECT life FROM database_life FOR UPDATE")
        if known == life:
            return False
        await connection.execute(_DECLARE)
        await connection.execute("UPDATE database_life SET life = $1, noticed_at = $2", life, now)
    return True


async def declare(connection: asyncpg.Connection, *, person: str, reason: str, now: int) -> int:
    """An operator says that this database is an earlier one.

    Args:
        connection: Outside a transaction.
        person: Who.
        reason: Why.
        now: ms since 1970.

    Returns:
        How many numberings go on in a new generation.
    """
    async with connection.transaction():
        found = count_of(await connection.execute(_DECLARE))
        doc = {"reason": reason, "numberings": found}
        await audit.act(connection, "restore.declared", person, doc, now=now)
    return found


async def listed(source: asyncpg.Connection | asyncpg.Pool) -> list[dict[str, Any]]:
    """Every generation of every numbering; ``ended_at`` null: the present one."""
    rows = await source.fetch(
        "SELECT id AS subscription, generation, next_seq - 1 AS last_seq, next_generation,"
        " NULL::bigint AS ended_at FROM subscription UNION ALL"
        " SELECT subscription, generation, last_seq, NULL, ended_at FROM numbering"
        " ORDER BY subscription, generation"
    )
    return [dict(row) for row in rows]


async def outrun(connection: asyncpg.Connection, held: Mapping[str, Number]) -> bool:
    """Compare with the last numbers found in the receivers' topics, which only the hub writes.

    Args:
        connection: Outside a transaction.
        held: Subscription → its highest number out there.

    Returns:
        Whether one of them was never given by this database; then all numberings go on anew.
    """
    known = await connection.fetch(
        "SELECT id, generation, next_seq, coalesce(next_generation, generation) AS coming"
        " FROM subscription WHERE id = ANY($1)",
        list(held),
    )
    if not any(
        held[row["id"]] >= (row["generation"], row["next_seq"])
        and held[row["id"]] >= (row["coming"], 0)
        for row in known
    ):
        return False
    async with connection.transaction():
        await connection.execute(_DECLARE)
        for name, number in held.items():
            await _beyond(connection, name, number)
    return True


async def claimed(executor: asyncpg.Connection, subscription: str, number: Number) -> bool:
    """A receiver says that it holds this number.

    Only its own numbering goes on anew: a receiver's word is no proof for the others.

    Returns:
        Whether the number was never given.
    """
    return await _beyond(executor, subscription, number)


async def _beyond(connection: asyncpg.Connection, subscription: str, number: Number) -> bool:
    generation, seq = number
    if generation > MOST:
        return False
    done = await connection.execute(
        "UPDATE subscription SET next_generation = greatest(next_generation, $2 + 1),"
        " epoch = epoch + 1, owner = '', leased_until = '-infinity'"
        " WHERE id = $1 AND (generation, next_seq) <= ($2, $3)"
        " AND coalesce(next_generation, 0) <= $2",
        subscription,
        generation,
        seq,
    )
    return str(done) == "UPDATE 1"


async def renumber(connection: asyncpg.Connection, one: Subscription, *, now: int) -> bool:
    """Go on in the next generation; what was numbered before must have been sent.

    Args:
        connection: Outside a transaction.
        one: Ours; gets the new generation.
        now: ms since 1970.

    Returns:
        False: the subscription is another's.
    """
    row = await connection.fetchrow(
        "WITH old AS (SELECT id, generation, next_seq FROM subscription"
        " WHERE id = $1 AND epoch = $2 AND next_generation IS NOT NULL FOR UPDATE), ended AS ("
        " INSERT INTO numbering (subscription, generation, last_seq, ended_at, why)"
        " SELECT id, generation, next_seq - 1, $3, 'restored' FROM old)"
        " UPDATE subscription s SET generation = s.next_generation, next_generation = NULL,"
        " next_seq = 1, sent_seq = 0,"
        " acked_generation = coalesce(s.acked_generation, s.generation)"
        " FROM old WHERE s.id = old.id RETURNING s.generation",
        one.id,
        one.epoch,
        now,
    )
    if row is None:
        return False
    one.generation, one.next_generation, one.sent_seq = row["generation"], None, 0
    return True


async def ended(
    executor: asyncpg.Connection | asyncpg.Pool, subscription: str, generation: int
) -> int | None:
    """The last number that a generation is known to have given; None: it has not ended."""
    found: int | None = await executor.fetchval(
        "SELECT last_seq FROM numbering WHERE subscription = $1 AND generation = $2",
        subscription,
        generation,
    )
    return found
