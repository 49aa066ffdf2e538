"""Maintenances: spans in which a department's silence is planned."""

from __future__ import annotations

from typing import Any

import asyncpg

Source = asyncpg.Connection | asyncpg.Pool


async def listed(source: Source, department: str, since: int) -> list[dict[str, Any]]:
    """A department's windows that end after an instant (ms since 1970), the next one first."""
    rows = await source.fetch(
        "SELECT id, from_at, to_at, note, by, at FROM maintenance"
        " WHERE department = $1 AND to_at > $2 ORDER BY from_at LIMIT 50",
        department,
        since,
    )
    return [dict(row) for row in rows]


async def add(
    connection: asyncpg.Connection,
    department: str,
    span: tuple[int, int],
    note: str,
    *,
    by: str,
    now: int,
) -> int:
    """Plan a window; its id."""
    made: int = await connection.fetchval(
        "INSERT INTO maintenance (department, from_at, to_at, note, by, at)"
        " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        department,
        *span,
        note,
        by,
        now,
    )
    return made


async def drop(connection: asyncpg.Connection, name: int, department: str) -> bool:
    """Take a window back; whether the department had it."""
    found = await connection.fetchval(
        "DELETE FROM maintenance WHERE id = $1 AND department = $2 RETURNING id", name, department
    )
    return found is not None
