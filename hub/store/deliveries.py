"""Deliveries: copies with their number, the log of what every program was sent.

The number is given here and nowhere else: one statement takes committed outbox rows in order,
numbers them without a gap and logs them. What is sent afterwards can be sent again under the
same number.
"""

from __future__ import annotations

from collections.abc import Collection

import asyncpg
import msgspec

from hub.store.subscriptions import Subscription


class Delivery(msgspec.Struct, gc=False):
    """One copy as it leaves.

    Attributes:
        subscription: Id of the subscription.
        generation: Of the numbering.
        seq: The gapless number, from 1.
        topic: Without prefix.
        copy_id: ``ce_id``.
        key: Record key.
        headers: Packed, see :mod:`hub.model.outbox`.
        body: Record value.
        person_key: What keeps the order of a person at a webhook.
        type: Type of the copy.
        attempts: Tries at a webhook so far.
    """

    subscription: str
    generation: int
    seq: int
    topic: str
    copy_id: str
    key: bytes
    headers: bytes
    body: bytes
    person_key: bytes | None
    type: str
    attempts: int = 0


READ = (
    "subscription, generation, seq, topic, copy_id, key, headers, body, person_key, type, attempts"
)
_KEPT = (
    "subscription, topic, copy_id, key, headers, body, person_key, event_id, type, created_at,"
    " referral_id, fields, occurred_at"
)
_MOVE = f"""
WITH mine AS MATERIALIZED (
    SELECT s.id, s.generation, s.next_seq, s.mode FROM subscription s
    JOIN unnest($1::text[], $2::bigint[]) AS given (id, epoch) USING (id, epoch)
    WHERE s.next_generation IS NULL
    ORDER BY s.id FOR UPDATE OF s
), picked AS MATERIALIZED (
    SELECT o.subscription, o.id, m.generation, m.mode, m.next_seq
    FROM mine m CROSS JOIN LATERAL (
        SELECT subscription, id FROM outbox WHERE subscription = m.id ORDER BY id LIMIT $3
    ) o
), taken AS (
    DELETE FROM outbox o USING picked p WHERE o.subscription = p.subscription AND o.id = p.id
    RETURNING o.*, p.generation, p.mode, p.next_seq
), numbered AS (
    -- Only what was really taken: rows may have gone while this statement waited for its lock.
    SELECT *, next_seq - 1 + row_number() OVER (PARTITION BY subscription ORDER BY id) AS seq
    FROM taken
), counted AS (
    UPDATE subscription s SET next_seq = n.last + 1
    FROM (SELECT subscription, max(seq) AS last FROM numbered GROUP BY 1) n
    WHERE s.id = n.subscription
)
INSERT INTO delivery ({_KEPT}, generation, seq, moved_at, state)
SELECT {_KEPT}, generation, seq, $4, CASE mode WHEN 'webhook' THEN 'waiting' ELSE 'cursor' END
FROM numbered RETURNING {READ}
"""  # noqa: S608 - column names only


async def move(
    connection: asyncpg.Connection, held: Collection[Subscription], *, limit: int, now: int
) -> list[Delivery]:
    """Number what lies in the outbox of these subscriptions; committed when this returns.

    Args:
        connection: Outside a transaction.
        held: Those whose epoch is no longer ours get nothing.
        limit: At most so many copies of each.
        now: ms since 1970.

    Returns:
        The copies by subscription and number.
    """
    rows = await connection.fetch(
        _MOVE, [one.id for one in held], [one.epoch for one in held], limit, now
    )
    found = [Delivery(*row) for row in rows]
    found.sort(key=lambda copy: (copy.subscription, copy.seq))
    return found


async def unsent(connection: asyncpg.Connection, one: Subscription) -> list[Delivery]:
    """Numbered copies that the broker has not acknowledged as far as is known."""
    rows = await connection.fetch(
        f"SELECT {READ} FROM delivery"  # noqa: S608 - column names only
        " WHERE subscription = $1 AND generation = $2 AND seq > $3 ORDER BY seq",
        one.id,
        one.generation,
        one.sent_seq,
    )
    return [Delivery(*row) for row in rows]
