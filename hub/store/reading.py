"""Reading: what people look at: subscriptions, referrals, partitions.

Dead letters are read by :mod:`hub.store.dead_letter_index`, the hops of one matter by
:mod:`hub.store.traces`, counts by :mod:`hub.store.overviews`.

For a pool of its own (:func:`hub.store.connections.pool`), not for the hot path.
"""

from __future__ import annotations

import asyncpg
import msgspec

Source = asyncpg.Pool | asyncpg.Connection


class SubscriptionState(msgspec.Struct):
    """How far a subscription is."""

    id: str
    topic: str
    mode: str
    generation: int
    next_seq: int
    sent_seq: int
    acked_seq: int
    owner: str
    owned: bool
    failures: int
    open_until: int
    queued: int
    waiting: int
    parked: int


class ReferralView(msgspec.Struct):
    """A line of the list of referrals."""

    id: str
    program: str
    subject_kind: str
    episode: str
    state: str
    correlation: str
    rule: str
    opened_at: int
    due_at: int | None
    stop_state: str | None


class PartitionState(msgspec.Struct):
    """How far a partition was worked; the log's end is Kafka's to tell."""

    topic: str
    part: int
    epoch: int
    owner: str
    next_offset: int
    committed_at: int


async def subscription_states(source: Source) -> list[SubscriptionState]:
    """All subscriptions with what lies before them."""
    rows = await source.fetch(
        "SELECT s.id, s.topic, s.mode, s.generation, s.next_seq, s.sent_seq, s.acked_seq, s.owner,"
        " s.leased_until > clock_timestamp() AS owned, s.failures, s.open_until,"
        " (SELECT count(*) FROM outbox o WHERE o.subscription = s.id) AS queued,"
        " (SELECT count(*) FROM delivery d WHERE d.subscription = s.id AND d.state = 'waiting'),"
        " (SELECT count(*) FROM delivery d WHERE d.subscription = s.id AND d.state = 'parked')"
        " FROM subscription s ORDER BY s.id"
    )
    return [SubscriptionState(*row) for row in rows]


async def recent_referrals(
    source: Source, *, program: str | None = None, state: str | None = None, limit: int = 100
) -> list[ReferralView]:
    """Referrals, the newest first."""
    names = ", ".join(ReferralView.__struct_fields__)
    rows = await source.fetch(
        f"SELECT {names} FROM referral WHERE ($1::text IS NULL OR program = $1)"  # noqa: S608
        " AND ($2::text IS NULL OR state = $2) ORDER BY opened_at DESC, id LIMIT $3",
        program,
        state,
        limit,
    )
    return [ReferralView(*row) for row in rows]


async def partition_states(source: Source) -> list[PartitionState]:
    """All claims."""
    rows = await source.fetch(
        "SELECT topic, part, epoch, owner, next_offset, committed_at FROM partition_claim"
        " ORDER BY topic, part"
    )
    return [PartitionState(*row) for row in rows]
