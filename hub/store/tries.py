"""Tries: what a webhook may be given now, and what came of each try.

Of each person only the earliest waiting copy is ever given, so a failing copy holds up the later
ones of its person and nobody else. A parked copy does not wait any more, so its person goes on.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import asyncpg

from hub.store.deliveries import READ, Delivery
from hub.store.subscriptions import Subscription

WAITING = "waiting"
SENT = "sent"
PARKED = "parked"

REFUSED = "refused"
"""Parked because the receiver said no to this copy."""
EXHAUSTED = "exhausted"
"""Parked because it was tried for a day."""

HEALS = 3
"""So often a receiver that is well again brings a copy back that had failed before."""

Executor = asyncpg.Connection | asyncpg.Pool


class Result(NamedTuple):
    """What came of one try.

    Attributes:
        copy: The copy that was tried.
        state: :data:`SENT`, :data:`WAITING` or :data:`PARKED`.
        next_at: When a waiting copy is due again, ms since 1970.
        error: Short text without personal data; None: delivered.
        parked: :data:`REFUSED` or :data:`EXHAUSTED` where it was parked.
    """

    copy: Delivery
    state: str
    next_at: int = 0
    error: str | None = None
    parked: str | None = None


_FRONT = 16
"""So many times as many copies as are wanted are looked at first, then so many times as many."""
READY = f"""
WITH front AS MATERIALIZED (
    SELECT * FROM delivery WHERE subscription = $1 AND state = 'waiting'
    ORDER BY generation, seq LIMIT $6
), first AS (
    SELECT *, row_number() OVER (PARTITION BY person_key ORDER BY generation, seq) AS place
    FROM front
)
SELECT looked, {READ} FROM (SELECT count(*) AS looked FROM front) AS length LEFT JOIN (
    SELECT * FROM first WHERE next_at <= $2 AND (place = 1 OR person_key IS NULL)
    AND (generation, seq) NOT IN (SELECT * FROM unnest($4::int[], $5::bigint[]))
    ORDER BY generation, seq LIMIT $3
) AS given ON true ORDER BY generation, seq
"""  # noqa: S608 - column names only
# Whoever waits before a copy lies before it in the same order, so the front alone tells who is the
# first of its person. To look the others of a person up in the table is left to no plan: where the
# table was analysed while nothing waited, one was chosen that read the whole backlog for each copy.


async def ready(
    executor: Executor,
    one: Subscription,
    *,
    now: int,
    limit: int,
    flying: Collection[tuple[int, int]] = (),
) -> list[Delivery]:
    """Copies that may be given now: of each person the earliest one that waits, if due.

    Args:
        executor: Connection or pool.
        one: The subscription.
        now: ms since 1970.
        limit: At most so many.
        flying: Generation and number of those that are being tried.
    """
    generations, numbers = [number[0] for number in flying], [number[1] for number in flying]
    front = _FRONT * (limit + len(flying))
    while True:
        rows = await executor.fetch(READY, one.id, now, limit, generations, numbers, front)
        found = [Delivery(*row[1:]) for row in rows if row["seq"] is not None]
        if len(found) == limit or rows[0]["looked"] < front:
            return found
        # Nearly all of the front waits for a later try, or for copies before it.
        front *= _FRONT


async def settle(
    executor: Executor, one: Subscription, results: Collection[Result], *, now: int
) -> None:
    """Note what came of tries, if the subscription is still ours.

    Args:
        executor: Connection or pool.
        one: The subscription all of them belong to.
        results: One for each copy tried.
        now: ms since 1970.
    """
    await executor.execute(
        "UPDATE delivery d SET state = g.state, attempts = d.attempts + 1, next_at = g.next_at,"
        " error = g.error, parked = g.parked,"
        " done_at = CASE WHEN g.state = 'waiting' THEN NULL ELSE $9::bigint END"
        " FROM subscription s, unnest($3::int[], $4::bigint[], $5::text[], $6::bigint[],"
        " $7::text[], $8::text[]) AS g (generation, seq, state, next_at, error, parked)"
        # By the primary key, and never by the index of what waits: for its size see READY.
        " WHERE s.id = $1 AND s.epoch = $2 AND d.subscription = $1 AND d.state || '' = 'waiting'"
        " AND d.generation = g.generation AND d.seq = g.seq",
        one.id,
        one.epoch,
        [result.copy.generation for result in results],
        [result.copy.seq for result in results],
        [result.state for result in results],
        [result.next_at for result in results],
        [result.error for result in results],
        [result.parked for result in results],
        now,
    )


async def heal(executor: Executor, one: Subscription) -> None:
    """The receiver is well again: what failed while it was not is due now, in order.

    Copies that were parked for want of an answer come back too. A copy comes back
    :data:`HEALS` times at most, so that one which only its receiver cannot bear is parked in the
    end.
    """
    await executor.execute(
        "UPDATE delivery d SET state = 'waiting', next_at = 0, attempts = 0, parked = NULL,"
        " done_at = NULL, heals = heals + 1 FROM subscription s"
        " WHERE s.id = $1 AND s.epoch = $2 AND d.subscription = $1 AND d.heals < $3"
        " AND d.state IN ('waiting', 'parked')"
        " AND (d.state = 'waiting' AND d.attempts > 0 OR d.parked = 'exhausted')",
        one.id,
        one.epoch,
        HEALS,
    )
