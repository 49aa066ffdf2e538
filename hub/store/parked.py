"""Parked copies: webhook copies that wait for a person, and what the person does about them.

A parked copy is a gap in the receiver's numbers. It is tried again, or given up: then the gap
stays, visible, and the receiver can still fetch the copy by its number.
"""

from __future__ import annotations

import asyncpg
import msgspec

from hub.store import audit

PARKED = "parked"
GIVEN_UP = "given_up"

Source = asyncpg.Connection | asyncpg.Pool


class Parked(msgspec.Struct):
    """One copy that is parked or was given up; never its content.

    Attributes:
        subscription: Whose.
        generation: Of the number.
        seq: The number.
        copy_id: ``ce_id``.
        event_id: What caused it.
        referral_id: The referral it tells of.
        type: Type of the copy.
        state: ``parked`` or ``given_up``.
        parked: ``refused`` by the receiver, or ``exhausted``: tried for a day.
        error: What the receiver answered.
        attempts: Tries.
        moved_at: When it was numbered, ms since 1970.
        done_at: When it was parked or given up.
        fetched_at: When its receiver fetched it by number.
        behind: Later copies of the same person that were delivered meanwhile.
        closed_by: Who gave it up.
        closed_why: Why.
    """

    subscription: str
    generation: int
    seq: int
    copy_id: str
    event_id: str
    referral_id: str | None
    type: str
    state: str
    parked: str | None
    error: str | None
    attempts: int
    moved_at: int
    done_at: int | None
    fetched_at: int | None
    behind: int
    closed_by: str | None
    closed_why: str | None


_FIELDS = (
    "d.subscription, d.generation, d.seq, d.copy_id, d.event_id, d.referral_id, d.type, d.state,"
    " d.parked, d.error, d.attempts, d.moved_at, d.done_at, d.fetched_at, (SELECT count(*)"
    " FROM delivery l WHERE l.subscription = d.subscription AND l.person_key = d.person_key"
    " AND (l.generation, l.seq) > (d.generation, d.seq) AND l.state = 'sent'), d.closed_by,"
    " d.closed_why"
)


async def listed(
    source: Source, *, subscription: str | None = None, limit: int = 100
) -> list[Parked]:
    """Parked copies, the oldest first.

    Args:
        source: Pool or connection.
        subscription: Only this one's.
        limit: How many at most.
    """
    rows = await source.fetch(
        f"SELECT {_FIELDS} FROM delivery d WHERE d.state = 'parked'"  # noqa: S608 - a constant
        " AND ($1::text IS NULL OR d.subscription = $1)"
        " ORDER BY d.subscription, d.generation, d.seq LIMIT $2",
        subscription,
        limit,
    )
    return [Parked(*row) for row in rows]


async def one(source: Source, subscription: str, seq: int, generation: int) -> Parked | None:
    """One copy that is parked or was given up."""
    row = await source.fetchrow(
        f"SELECT {_FIELDS} FROM delivery d WHERE d.subscription = $1"  # noqa: S608 - a constant
        " AND d.seq = $2 AND d.generation = $3 AND d.state IN ('parked', 'given_up')",
        subscription,
        seq,
        generation,
    )
    return Parked(*row) if row else None


async def retry(
    connection: asyncpg.Connection,
    subscription: str,
    seq: int | None,
    generation: int,
    *,
    person: str,
    reason: str,
    now: int,
) -> int:
    """Let copies be tried again from the beginning, in order; those given up as well if named.

    Args:
        connection: Outside a transaction.
        subscription: Whose.
        seq: One number; None: all that are parked, of any generation.
        generation: Of the number.
        person: Who.
        reason: Why.
        now: ms since 1970.

    Returns:
        How many copies are tried again.
    """
    async with connection.transaction():
        rows = await connection.fetch(
            "UPDATE delivery SET state = 'waiting', attempts = 0, heals = 0, next_at = 0,"
            " parked = NULL, done_at = NULL, closed_by = NULL, closed_why = NULL"
            " WHERE subscription = $1 AND ($2::bigint IS NULL AND state = 'parked'"
            " OR seq = $2 AND generation = $3 AND state IN ('parked', 'given_up'))"
            " RETURNING generation, seq",
            subscription,
            seq,
            generation,
        )
        if rows:
            doc = _doc(subscription, rows, reason)
            await audit.act(connection, "parked.retry", person, doc, now=now)
    return len(rows)


async def give_up(
    connection: asyncpg.Connection,
    subscription: str,
    seq: int,
    generation: int,
    *,
    person: str,
    reason: str,
    now: int,
) -> bool:
    """Leave the gap; the receiver can still fetch the copy.

    Args:
        connection: Outside a transaction.
        subscription: Whose.
        seq: The number.
        generation: Of the number.
        person: Who.
        reason: Why.
        now: ms since 1970.

    Returns:
        Whether there was such a parked copy.
    """
    async with connection.transaction():
        rows = await connection.fetch(
            "UPDATE delivery SET state = 'given_up', closed_by = $4, closed_why = $5, done_at = $6"
            " WHERE subscription = $1 AND seq = $2 AND generation = $3 AND state = 'parked'"
            " RETURNING generation, seq",
            subscription,
            seq,
            generation,
            person,
            reason,
            now,
        )
        if rows:
            doc = _doc(subscription, rows, reason)
            await audit.act(connection, "parked.given_up", person, doc, now=now)
    return bool(rows)


def _doc(subscription: str, rows: list[asyncpg.Record], reason: str) -> dict[str, object]:
    numbers = [f"{row['generation']}/{row['seq']}" for row in rows]
    return {
        "subscription": subscription,
        "count": len(numbers),
        "numbers": sorted(numbers)[:1000],
        "reason": reason,
    }
