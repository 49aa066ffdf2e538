"""Late matters: open referrals and tasks with their clocks, the urgent ones first; ids only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

Source = asyncpg.Connection | asyncpg.Pool
Rows = list[dict[str, Any]]

HOUR_MS = 3_600_000
BANDS: dict[str, int] = {"2h": 2 * HOUR_MS, "24h": 24 * HOUR_MS, "5d": 5 * 24 * HOUR_MS}
"""Clock → longest term (due − opened) that counts to it; longer ones are ``longer``."""
_LOOKED_AT = 5000
"""Open referrals that a count of affected households looks at."""

_BAND = (
    "CASE WHEN due_at - opened_at <= 7200000 THEN '2h'"
    " WHEN due_at - opened_at <= 86400000 THEN '24h'"
    " WHEN due_at - opened_at <= 432000000 THEN '5d' ELSE 'longer' END"
)
_OPEN = (
    "SELECT 'referral' AS what, id, program AS kind, program AS owner, state, correlation,"
    " opened_at, due_at FROM referral WHERE state IN ('created', 'accepted')"
    " AND due_at IS NOT NULL UNION ALL"
    " SELECT 'task', id, kind, owner_level, state, correlation, opened_at, due_at FROM task"
    " WHERE closed_at IS NULL AND due_at IS NOT NULL"
)


async def groups(source: Source, now: int) -> Rows:
    """By what, owner and clock: open, late and the earliest due instant; late ones first."""
    rows = await source.fetch(
        f"SELECT what, owner, {_BAND} AS band, count(*) AS open,"  # noqa: S608 - texts of this module
        " count(*) FILTER (WHERE due_at < $1) AS late, min(due_at) AS due_at"
        f" FROM ({_OPEN}) o GROUP BY 1, 2, 3",
        now,
    )
    order = [*BANDS, "longer"]
    found = [dict(row) for row in rows]
    found.sort(key=lambda one: (not one["late"], order.index(one["band"]), one["due_at"]))
    return found


async def late(
    source: Source,
    now: int,
    *,
    owner: str = "",
    band: str = "",
    all_open: bool = False,
    limit: int = 200,
) -> Rows:
    """Matters past their clock: those with the shortest term first, then the longest overdue.

    Args:
        source: Pool or connection.
        now: ms since 1970.
        owner: Only this program's or level's; empty: all.
        band: Only those of one clock; empty: all.
        all_open: Those still within their clock as well.
        limit: How many at most.
    """
    rows = await source.fetch(
        f"SELECT *, {_BAND} AS band FROM ({_OPEN}) o"  # noqa: S608 - texts of this module
        f" WHERE ($1 OR due_at < $2) AND ($3 = '' OR owner = $3) AND ($4 = '' OR {_BAND} = $4)"
        f" ORDER BY array_position(ARRAY['2h', '24h', '5d'], {_BAND}), due_at, id LIMIT $5",
        all_open,
        now,
        owner,
        band,
        limit,
    )
    return [dict(row) for row in rows]


async def behind_program(source: Source, program: str) -> int:
    """How many persons have copies that wait before a program or are parked; a count only."""
    found: int = await source.fetchval(
        "SELECT count(DISTINCT person_key) FROM ("
        " SELECT person_key FROM delivery WHERE subscription = $1"
        "  AND state IN ('waiting', 'parked')"
        " UNION ALL (SELECT d.person_key FROM delivery d JOIN subscription s"
        "  ON s.id = d.subscription AND s.mode = 'pull' WHERE d.subscription = $1"
        "  AND (d.generation, d.seq) > (coalesce(s.acked_generation, s.generation), s.acked_seq)"
        "  ORDER BY d.generation, d.seq LIMIT 20000)"
        " UNION ALL (SELECT person_key FROM outbox WHERE subscription = $1 LIMIT 20000)) w",
        program,
    )
    return found


async def resting_on(source: Source, department: str, types: Sequence[str]) -> int:
    """How many households would not hear of a change: a count only.

    They have open referrals that facts of a department's kinds opened, or records of theirs are
    dead letters of the department.

    Args:
        source: Pool or connection.
        department: Connector id.
        types: Event types its records may become.
    """
    found: int = await source.fetchval(
        "SELECT (SELECT count(DISTINCT coalesce(r.household, encode(r.uid, 'hex'))) FROM ("
        " SELECT household, uid, episode FROM referral WHERE state IN ('created', 'accepted')"
        "  LIMIT $3) r WHERE EXISTS (SELECT FROM audit a WHERE a.event_id = r.episode"
        "  AND a.type = ANY($2)))"
        " + (SELECT count(DISTINCT record_key) FROM dead_letter"
        "  WHERE state = 'open' AND source = $1)",
        department,
        list(types),
        _LOOKED_AT,
    )
    return found
