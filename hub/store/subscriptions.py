"""Subscriptions: one row each, with its numbering, its cursor, and the relay that owns it.

A relay owns a subscription like a worker owns a partition: taking it over raises the epoch, and
everything the relay writes names the epoch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import asyncpg
import msgspec

from hub.store.leases import HELD_SECONDS, is_dead

KAFKA = "kafka"
WEBHOOK = "webhook"
PULL = "pull"


class Subscription(msgspec.Struct, gc=False):
    """A subscription that this process owns.

    Attributes:
        id: E.g. ``medical-aid``; for hub facts the topic.
        epoch: The fence.
        generation: Of the numbering; a new one starts again at 1.
        topic: Without prefix.
        mode: ``kafka``, ``webhook`` or ``pull``.
        sent_seq: Everything up to here was acknowledged by the broker.
        failures: Consecutive failures of the webhook.
        open_until: The webhook's breaker is open until then, ms since 1970.
        next_generation: A restore was noticed; the numbering has to go on there.
    """

    id: str
    epoch: int
    generation: int
    topic: str
    mode: str
    sent_seq: int
    failures: int = 0
    open_until: int = 0
    next_generation: int | None = None


async def register(connection: asyncpg.Connection, wanted: Mapping[str, tuple[str, str]]) -> None:
    """Put subscriptions on record; one that exists keeps its numbering.

    Args:
        connection: A connection.
        wanted: Id → (topic without prefix, mode).
    """
    await connection.executemany(
        "INSERT INTO subscription AS s (id, topic, mode) VALUES ($1, $2, $3)"
        " ON CONFLICT (id) DO UPDATE SET topic = excluded.topic, mode = excluded.mode"
        " WHERE (s.topic, s.mode) <> (excluded.topic, excluded.mode)",
        [(name, topic, mode) for name, (topic, mode) in sorted(wanted.items())],
    )


async def count(connection: asyncpg.Connection) -> int:
    """How many there are."""
    found: int = await connection.fetchval("SELECT count(*) FROM subscription")
    return found


async def ensure(connection: asyncpg.Connection, topics: Mapping[str, str]) -> None:
    """Make sure that every subscription that gets a copy has a relay to carry it."""
    await connection.execute(
        "INSERT INTO subscription (id, topic) SELECT * FROM unnest($1::text[], $2::text[])"
        " ON CONFLICT (id) DO NOTHING",
        list(topics),
        list(topics.values()),
    )


async def take(
    connection: asyncpg.Connection, owner: str, share: int, *, held: Collection[str] = ()
) -> list[Subscription]:
    """Take over subscriptions that nobody owns, up to this many.

    A lease that has not run out but whose process is gone from this machine counts as free, and
    so does one of ours that we lost sight of in a fault.

    Args:
        connection: Outside a transaction.
        owner: Who takes them.
        share: How many at most.
        held: Ids of those in our hands already.
    """
    rows = await connection.fetch(
        "SELECT id, owner, leased_until <= clock_timestamp() OR owner = $1 AS free"
        " FROM subscription WHERE id <> ALL($2) ORDER BY id",
        owner,
        list(held),
    )
    free = [(row["id"], row["owner"]) for row in rows if row["free"] or is_dead(row["owner"])]
    free = free[: max(0, share)]
    if not free:
        return []
    taken = await connection.fetch(
        "UPDATE subscription s SET owner = $3, epoch = epoch + 1,"
        " leased_until = clock_timestamp() + make_interval(secs => $4)"
        " FROM unnest($1::text[], $2::text[]) AS given (id, owner)"
        " WHERE s.id = given.id AND s.owner = given.owner RETURNING s.id, epoch, generation,"
        " topic, mode, sent_seq, failures, open_until, next_generation",
        [name for name, _ in free],
        [held for _, held in free],
        owner,
        HELD_SECONDS,
    )
    return [Subscription(*row) for row in taken]


async def renew(
    connection: asyncpg.Connection, held: Collection[Subscription], *, seconds: float
) -> set[str]:
    """Prolong leases (0 seconds: give them back).

    Returns:
        Ids of those that are still ours.
    """
    rows = await connection.fetch(
        "UPDATE subscription s SET leased_until = clock_timestamp() + make_interval(secs => $3)"
        " FROM unnest($1::text[], $2::bigint[]) AS given (id, epoch)"
        " WHERE s.id = given.id AND s.epoch = given.epoch RETURNING s.id",
        [one.id for one in held],
        [one.epoch for one in held],
        seconds,
    )
    return {row[0] for row in rows}


async def sent(connection: asyncpg.Connection, cursors: Mapping[str, tuple[int, int]]) -> None:
    """Move the sent cursors: id → (epoch, sequence number); those lost meanwhile stay."""
    await connection.execute(
        "UPDATE subscription s SET sent_seq = given.seq"
        " FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS given (id, epoch, seq)"
        " WHERE s.id = given.id AND s.epoch = given.epoch AND s.sent_seq < given.seq",
        list(cursors),
        [epoch for epoch, _ in cursors.values()],
        [seq for _, seq in cursors.values()],
    )


async def acked(
    connection: asyncpg.Connection, subscription: str, seq: int, generation: int | None = None
) -> bool:
    """A program acknowledges everything up to a number.

    Args:
        connection: A connection.
        subscription: Whose.
        seq: The number.
        generation: It is of; None: the present one.

    Returns:
        False: that number was never given.
    """
    newer = "(coalesce($3, generation), $2) > (coalesce(acked_generation, generation), acked_seq)"
    found = await connection.fetchval(
        f"UPDATE subscription SET acked_seq = CASE WHEN {newer} THEN $2 ELSE acked_seq END,"  # noqa: S608 - a constant
        f" acked_generation = CASE WHEN {newer} THEN coalesce($3, generation)"
        " ELSE acked_generation END WHERE id = $1 AND (coalesce($3, generation) < generation"
        " OR coalesce($3, generation) = generation AND $2 < next_seq) RETURNING 1",
        subscription,
        seq,
        generation,
    )
    return found is not None


async def breaker(
    executor: asyncpg.Connection | asyncpg.Pool,
    one: Subscription,
    *,
    failures: int,
    open_until: int,
) -> None:
    """Keep the state of a webhook's breaker, so that it survives the process."""
    await executor.execute(
        "UPDATE subscription SET failures = $3, open_until = $4 WHERE id = $1 AND epoch = $2",
        one.id,
        one.epoch,
        failures,
        open_until,
    )
