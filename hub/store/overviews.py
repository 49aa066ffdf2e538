"""Overviews: counts for the operators' page; ids and figures only, never a person's data."""

from __future__ import annotations

from typing import Any

import asyncpg

Executor = asyncpg.Connection | asyncpg.Pool
Rows = list[dict[str, Any]]


async def _rows(executor: Executor, sql: str, *values: Any) -> Rows:
    return [dict(row) for row in await executor.fetch(sql, *values)]


async def dead_letters(executor: Executor) -> Rows:
    """Open dead letters by code and source: count, first and last failure (ms since 1970)."""
    return await _rows(
        executor,
        "SELECT source, code, category, count(*) AS count, min(first_failed_at) AS first_at,"
        " max(failed_at) AS last_at FROM dead_letter WHERE state = 'open'"
        " GROUP BY source, code, category ORDER BY count(*) DESC, source, code",
    )


async def referral_states(executor: Executor) -> Rows:
    """Referrals by program and state."""
    return await _rows(
        executor,
        "SELECT program, state, count(*) AS count FROM referral GROUP BY 1, 2 ORDER BY 1, 2",
    )


_OPEN_WORK = """
SELECT 'case' AS what, kind, count(*) AS count, min(opened_at) AS oldest_at,
       NULL::bigint AS due_at FROM case_file WHERE closed_at IS NULL GROUP BY kind
UNION ALL
SELECT 'task', kind, count(*), min(opened_at), min(due_at) FROM task
 WHERE closed_at IS NULL GROUP BY kind
UNION ALL
SELECT 'referral', program, count(*), min(opened_at), min(due_at) FROM referral
 WHERE state IN ('created', 'accepted') GROUP BY program
UNION ALL
SELECT 'stop_notice', program, count(*), min(opened_at), NULL FROM referral
 WHERE stop_state IN ('notified', 'review') GROUP BY program
UNION ALL
SELECT 'dead_letter', code, count(*), min(first_failed_at), NULL FROM dead_letter
 WHERE state = 'open' GROUP BY code
UNION ALL
SELECT 'parked', subscription, count(*), min(moved_at), NULL FROM delivery
 WHERE state = 'parked' GROUP BY subscription
ORDER BY 1, 3 DESC, 2
"""


async def open_work(executor: Executor) -> Rows:
    """Everything open, by what and kind: count, oldest and next due (ms since 1970), rule I2."""
    return await _rows(executor, _OPEN_WORK)


async def take_room(connection: asyncpg.Connection) -> None:
    """Ask for a megabyte of the database's disk and give it back; nothing is kept.

    Small writes still succeed for a while on a full disk, into pages that are there already.

    Raises:
        asyncpg.DiskFullError: it has none left.
        asyncpg.InsufficientPrivilegeError: this account may not make temporary tables.
    """
    taking = connection.transaction()
    await taking.start()
    try:
        # Rows of this length are neither compressed nor stored elsewhere.
        await connection.execute(
            "CREATE TEMP TABLE hub_room ON COMMIT DROP AS"
            " SELECT repeat(md5(n::text), 40) AS filler FROM generate_series(1, 1000) n"
        )
    finally:
        await taking.rollback()


async def database_clock(executor: Executor) -> int:
    """What the database's own clock shows, ms since 1970; to compare it, never to decide by it."""
    found: int = await executor.fetchval(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    )
    return found
