"""Own facts: what became of a department's facts and of a program's numbers; counts only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import asyncpg

Source = asyncpg.Connection | asyncpg.Pool
Rows = list[dict[str, Any]]

LOOKED_AT = 5000
"""The newest facts of a department that are counted."""

_MINE = (
    "WITH mine AS (SELECT event_id::text AS id, type, disposition, reason, at FROM seen_event"
    " WHERE source = $1 AND at >= $2 ORDER BY at DESC LIMIT $3),"
    " left_by AS (SELECT m.*, a.doc FROM mine m LEFT JOIN audit a ON a.event_id = m.id"
    " AND a.kind = 'decision')"
)


async def outcomes(source: Source, department: str, since: int, programs: Collection[str]) -> Rows:
    """By event type and disposition: count, forwarded to at least one program, newest (ms)."""
    rows = await source.fetch(
        f"{_MINE} SELECT type, disposition, reason, count(DISTINCT id) AS count,"  # noqa: S608 - texts of this module
        " count(DISTINCT id) FILTER (WHERE EXISTS (SELECT FROM json_array_elements("
        " doc -> 'copies') c WHERE c ->> 0 = ANY($4))) AS forwarded,"
        " max(at) AS last_at FROM left_by GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        department,
        since,
        LOOKED_AT,
        list(programs),
    )
    return [dict(row) for row in rows]


async def denials(source: Source, department: str, since: int) -> Rows:
    """By event type and reason: how many facts were not forwarded to somebody, and why."""
    rows = await source.fetch(
        f"{_MINE} SELECT type, d ->> 1 AS reason, count(DISTINCT id) AS count FROM left_by,"  # noqa: S608 - texts of this module
        " json_array_elements(doc -> 'denied') d GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
        department,
        since,
        LOOKED_AT,
    )
    return [dict(row) for row in rows]


async def gaps(source: Source, program: str, limit: int = 200) -> Rows:
    """Numbers a webhook program has not got although later ones were delivered to it."""
    rows = await source.fetch(
        "SELECT generation, seq, type, state, error, attempts, created_at FROM delivery d"
        " WHERE subscription = $1 AND state IN ('waiting', 'parked', 'given_up') AND EXISTS ("
        "  SELECT FROM delivery l WHERE l.subscription = d.subscription"
        "  AND l.generation = d.generation AND l.seq > d.seq AND l.state = 'sent')"
        " ORDER BY generation, seq LIMIT $2",
        program,
        limit,
    )
    return [dict(row) for row in rows]
