"""Reject boards: dead letters by rule and department over days; never their content."""

from __future__ import annotations

import asyncpg
import msgspec

Source = asyncpg.Connection | asyncpg.Pool

DAY_MS = 86_400_000
_EIGHT_HOURS_MS = 28_800_000
"""Days are those of Asia/Shanghai."""


class Cell(msgspec.Struct, frozen=True):
    """Dead letters of one rule and department.

    Attributes:
        code: ``E-…``.
        source: Connector id.
        count: First failed in the span.
        open: Of those, not settled yet.
        sample: Id of the newest one.
        last_at: When it failed, ms since 1970.
        days: Day since 1970 (Asia/Shanghai) → count.
    """

    code: str
    source: str
    count: int
    open: int
    sample: str
    last_at: int
    days: dict[int, int]


class Reject(msgspec.Struct, frozen=True):
    """One record to correct, as its office may see it: no value, no person."""

    id: str
    record_key: str
    type: str
    field: str
    code: str
    category: str
    first_failed_at: int
    failed_at: int


def day_number(ms: int) -> int:
    """The day of an instant, days since 1970, Asia/Shanghai."""
    return (ms + _EIGHT_HOURS_MS) // DAY_MS


async def cells(source: Source, since: int, department: str = "") -> list[Cell]:
    """Rules by department, the largest first.

    Args:
        source: Pool or connection.
        since: Only what failed first at or after this instant, ms since 1970.
        department: Only this one's; empty: all.
    """
    rows = await source.fetch(
        "SELECT code, source, (first_failed_at + 28800000) / 86400000 AS day, count(*) AS count,"
        " count(*) FILTER (WHERE state = 'open') AS open,"
        " (array_agg(id ORDER BY failed_at DESC))[1] AS sample, max(failed_at) AS last_at"
        " FROM dead_letter WHERE failed_at >= $1 AND first_failed_at >= $1"
        " AND ($2 = '' OR source = $2) GROUP BY 1, 2, 3",
        since,
        department,
    )
    found: dict[tuple[str, str], list[asyncpg.Record]] = {}
    for row in rows:
        found.setdefault((row["code"], row["source"]), []).append(row)
    made = [_cell(key, each) for key, each in found.items()]
    return sorted(made, key=lambda one: (-one.open, -one.count, one.source, one.code))


def _cell(key: tuple[str, str], rows: list[asyncpg.Record]) -> Cell:
    newest = max(rows, key=lambda row: row["last_at"])
    return Cell(
        *key,
        count=sum(row["count"] for row in rows),
        open=sum(row["open"] for row in rows),
        sample=newest["sample"],
        last_at=newest["last_at"],
        days={row["day"]: row["count"] for row in rows},
    )


async def to_correct(
    source: Source, department: str, code: str = "", limit: int = 50_000
) -> list[Reject]:
    """Open dead letters of a department, the oldest first."""
    rows = await source.fetch(
        f"SELECT {', '.join(Reject.__struct_fields__)} FROM dead_letter"  # noqa: S608 - names only
        " WHERE state = 'open' AND source = $1 AND ($2 = '' OR code = $2)"
        " ORDER BY first_failed_at, id LIMIT $3",
        department,
        code,
        limit,
    )
    return [Reject(*row) for row in rows]
