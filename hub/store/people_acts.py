"""Acts of people in the audit: found by person, kind, thing and time, newest first."""

from __future__ import annotations

import asyncpg
import msgspec

Executor = asyncpg.Connection | asyncpg.Pool


class Act(msgspec.Struct, frozen=True):
    """One act.

    Attributes:
        id: Grows with time.
        at: ms since 1970.
        kind: Such as ``dead_letter.revealed``.
        actor: The account, or the name given on the command line.
        event_id: The event concerned.
        correlation: The matter concerned.
        doc: JSON: reason, target, what changed.
        chained: Whether the hash chain covers it.
    """

    id: int
    at: int
    kind: str
    actor: str
    event_id: str | None
    correlation: str | None
    doc: str
    chained: bool


class Wanted(msgspec.Struct, frozen=True):
    """Which acts; None: any.

    Attributes:
        actor: Who.
        kinds: What.
        target: To what: an id in ``target``, the event or the matter.
        since: From then on, ms since 1970.
        until: Before then.
    """

    actor: str | None = None
    kinds: tuple[str, ...] | None = None
    target: str | None = None
    since: int | None = None
    until: int | None = None


_WHERE = (
    " FROM audit WHERE actor <> 'hub' AND ($1::text IS NULL OR actor = $1)"
    " AND ($2::text[] IS NULL OR kind = ANY($2))"
    " AND ($3::text IS NULL OR doc->>'target' = $3 OR event_id = $3 OR correlation = $3)"
    " AND ($4::bigint IS NULL OR at >= $4) AND ($5::bigint IS NULL OR at < $5)"
)


async def find(
    executor: Executor, wanted: Wanted, *, limit: int, before: int | None = None
) -> list[Act]:
    """Acts, newest first.

    Args:
        executor: Pool or connection.
        wanted: Which.
        limit: At most so many.
        before: Only those of a smaller id: the next page.
    """
    rows = await executor.fetch(
        "SELECT id, at, kind, actor, event_id, correlation, doc::text, hash IS NOT NULL"
        + _WHERE
        + " AND ($6::bigint IS NULL OR id < $6) ORDER BY id DESC LIMIT $7",
        wanted.actor, wanted.kinds and list(wanted.kinds), wanted.target, wanted.since,
        wanted.until, before, limit,
    )  # fmt: skip
    return [Act(*row) for row in rows]


async def is_chained(executor: Executor) -> bool:
    """Whether the hash chain has begun: the oldest row of the audit carries its hash."""
    return bool(await executor.fetchval("SELECT hash IS NOT NULL FROM audit ORDER BY id LIMIT 1"))


async def kinds(executor: Executor) -> list[str]:
    """Every kind of act on record, found by skipping through the index."""
    rows = await executor.fetch(
        "WITH RECURSIVE step AS ("
        " (SELECT kind FROM audit WHERE actor <> 'hub' ORDER BY kind LIMIT 1)"
        " UNION ALL SELECT (SELECT a.kind FROM audit a WHERE a.actor <> 'hub'"
        " AND a.kind > step.kind ORDER BY a.kind LIMIT 1) FROM step WHERE step.kind IS NOT NULL)"
        " SELECT kind FROM step WHERE kind IS NOT NULL"
    )
    return [str(row[0]) for row in rows]
