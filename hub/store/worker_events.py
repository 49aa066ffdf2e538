"""Worker events on record: people read them, nothing depends on them.

What is taken is written by the statement that takes it (:mod:`hub.store.claims`).
"""

from __future__ import annotations

import asyncpg

from hub.kernel.worker_events import WorkerEvent

KEPT_MS = 10 * 86_400_000
KEPT_ROWS = 20_000
Source = asyncpg.Connection | asyncpg.Pool
_COLUMNS = ", ".join(WorkerEvent._fields)


async def note(db: Source, event: WorkerEvent) -> None:
    """Put an event on record."""
    await db.execute(
        f"INSERT INTO worker_event ({_COLUMNS})"  # noqa: S608 - column names only
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *event,
    )


async def since(db: Source, at: int, limit: int = 1000) -> list[WorkerEvent]:
    """Events from an instant on, the latest first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM worker_event"  # noqa: S608 - column names only
        " WHERE at >= $1 ORDER BY at DESC, id DESC LIMIT $2",
        at,
        limit,
    )
    return [WorkerEvent(*row) for row in rows]


async def assigned(db: Source, limit: int = 2000) -> list[asyncpg.Record]:
    """Partitions by topic and owner: topic, owner, parts, epochs, committed_at, held."""
    return list(
        await db.fetch(
            "SELECT topic, owner, array_agg(part ORDER BY part) AS parts,"
            " sum(epoch)::bigint AS epochs, max(committed_at) AS committed_at,"
            " count(held_by) AS held FROM partition_claim GROUP BY topic, owner"
            " ORDER BY topic, owner LIMIT $1",
            limit,
        )
    )


async def forget(db: Source, *, now: int) -> None:
    """Drop what is older than ten days, and the oldest of too many."""
    await db.execute(
        "DELETE FROM worker_event WHERE at < $1 OR id <= (SELECT max(id) FROM worker_event) - $2",
        now - KEPT_MS,
        KEPT_ROWS,
    )
