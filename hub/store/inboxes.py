"""Inboxes: what a program fetches for itself, and the gaps it asks for."""

from __future__ import annotations

import asyncpg
import msgspec

Executor = asyncpg.Connection | asyncpg.Pool


class Head(msgspec.Struct, frozen=True):
    """How far a subscription is.

    Attributes:
        generation: Of the numbering.
        last_seq: The last number given; 0: none yet.
        sent_seq: Acknowledged by the broker.
        acked_generation: Of the number acknowledged.
        acked_seq: Acknowledged by the program.
        mode: ``kafka``, ``webhook`` or ``pull``.
    """

    generation: int
    last_seq: int
    sent_seq: int
    acked_generation: int
    acked_seq: int
    mode: str


class Copy(msgspec.Struct, frozen=True):
    """One numbered copy as it left; ``headers`` packed, see :mod:`hub.model.outbox`."""

    generation: int
    seq: int
    copy_id: str
    type: str
    headers: bytes
    body: bytes


async def head(executor: Executor, subscription: str) -> Head | None:
    """The counters of a subscription; None: nothing was ever sent to it."""
    row = await executor.fetchrow(
        "SELECT generation, next_seq - 1, sent_seq, coalesce(acked_generation, generation),"
        " acked_seq, mode FROM subscription"
        " WHERE id = $1",
        subscription,
    )
    return Head(*row) if row else None


async def after(
    executor: Executor, subscription: str, generation: int, seq: int, limit: int
) -> list[Copy]:
    """Copies after a number, in order; those of a later generation follow."""
    rows = await executor.fetch(
        "SELECT generation, seq, copy_id, type, headers, body FROM delivery"
        " WHERE subscription = $1 AND (generation, seq) > ($2, $3)"
        " ORDER BY generation, seq LIMIT $4",
        subscription,
        generation,
        seq,
        limit,
    )
    return [Copy(*row) for row in rows]


async def one(
    executor: Executor, subscription: str, generation: int, seq: int, *, now: int
) -> Copy | None:
    """The copy with a number, whatever became of it; notes that its receiver has asked for it."""
    row = await executor.fetchrow(
        "UPDATE delivery SET fetched_at = $4 WHERE subscription = $1 AND generation = $2"
        " AND seq = $3 RETURNING generation, seq, copy_id, type, headers, body",
        subscription,
        generation,
        seq,
        now,
    )
    return Copy(*row) if row else None
