"""Claims: who owns a partition, and up to where it was worked. The truth about offsets.

Raising the epoch takes a partition over; every batch moves its offsets only while the epoch is
still its own, so a process that was paused and overtaken can never write.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import asyncpg
import msgspec

from hub.kernel.worker_events import TOOK
from hub.store.connections import FenceError, count_of

Place = tuple[str, int]
"""Topic (with prefix) and partition."""


_COLUMNS = (
    "c.topic, c.part, c.epoch, c.next_offset, coalesce(c.topic_id, ''),"
    " coalesce(c.taken_offset, c.next_offset), c.taken_there"
)


class Claim(msgspec.Struct):
    """A partition held by this process."""

    topic: str
    part: int
    epoch: int
    next_offset: int
    topic_id: str = ""
    """Of the log it was made on; empty where no broker told."""
    taken_offset: int = 0
    """Where it stood when it was taken last."""
    taken_there: int = 1
    """How often in a row it was taken there from one who died: its owners got nowhere."""

    @property
    def place(self) -> Place:
        """Topic and partition."""
        return self.topic, self.part

    @property
    def record(self) -> str:
        """Names the next record."""
        return f"{self.topic}/{self.part}/{self.next_offset}"


_TAKE = f"""
WITH given AS (
    SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[])
        AS given (topic, part, start, topic_id)
), before AS (
    SELECT topic, part, owner FROM partition_claim JOIN given USING (topic, part)
), taken AS (
    INSERT INTO partition_claim AS c (topic, part, epoch, owner, next_offset, committed_at,
        topic_id, taken_offset, taken_there)
    SELECT topic, part, 1, $5, start, $6, nullif(topic_id, ''), start, 1
    FROM given ORDER BY topic, part
    ON CONFLICT (topic, part) DO UPDATE SET epoch = c.epoch + 1, owner = excluded.owner,
        topic_id = coalesce(c.topic_id, excluded.topic_id), taken_offset = c.next_offset,
        taken_there = CASE
            WHEN c.taken_offset IS DISTINCT FROM c.next_offset THEN 1
            WHEN c.topic || '/' || c.part = ANY($8) THEN 1
            WHEN c.owner = ANY($7) THEN greatest(c.taken_there, 1)
            ELSE c.taken_there + 1 END
    WHERE c.held_by IS NULL
    RETURNING c.*
), noted AS (
    INSERT INTO worker_event (at, kind, owner, former, partitions, stood, epoch)
    SELECT $6, '{TOOK}', $5, coalesce(before.owner, ''), count(*),
        count(*) FILTER (WHERE taken_there > 1), max(epoch)
    FROM taken LEFT JOIN before USING (topic, part) GROUP BY before.owner
)
SELECT {_COLUMNS} FROM taken c
"""  # noqa: S608 - column names only


async def take(
    connection: asyncpg.Connection,
    places: Mapping[Place, int],
    *,
    owner: str,
    now: int,
    topic_ids: Mapping[str, str] | None = None,
    living: Collection[str] = (),
    worked: Collection[Place] = (),
) -> dict[Place, Claim]:
    """Take partitions over; those that an operator holds (:mod:`hub.store.holds`) are left out.

    Args:
        connection: Outside a transaction.
        places: Partition → where to start if nobody ever claimed it.
        owner: Who takes it, for people to read.
        now: ms since 1970.
        topic_ids: Topic → the broker's id of it. A claim made on another one keeps that one's
            id; whoever takes it must compare.
        living: Owners known to live: what is taken from one of them killed nobody.
        worked: Partitions without a record that is not worked: nothing there can have killed.
    """
    ids = topic_ids or {}
    rows = await connection.fetch(
        _TAKE,
        [topic for topic, _ in places],
        [part for _, part in places],
        list(places.values()),
        [ids.get(topic, "") for topic, _ in places],
        owner,
        now,
        list(living),
        [f"{topic}/{part}" for topic, part in worked],
    )
    claims = [Claim(*row) for row in rows]
    return {claim.place: claim for claim in claims}


async def positions(connection: asyncpg.Connection, places: Collection[Place]) -> dict[Place, int]:
    """Where claims stand, whoever has them; those never taken are left out."""
    return {place: row["next_offset"] for place, row in (await _look(connection, places)).items()}


async def owners(connection: asyncpg.Connection, places: Collection[Place]) -> dict[Place, str]:
    """Who has claims; those never taken are left out."""
    return {place: row["owner"] for place, row in (await _look(connection, places)).items()}


async def _look(
    connection: asyncpg.Connection, places: Collection[Place]
) -> dict[Place, asyncpg.Record]:
    rows = await connection.fetch(
        "SELECT topic, part, next_offset, owner FROM partition_claim"
        " JOIN unnest($1::text[], $2::int[]) AS given (topic, part) USING (topic, part)",
        [topic for topic, _ in places],
        [part for _, part in places],
    )
    return {(row["topic"], row["part"]): row for row in rows}


async def fence(
    connection: asyncpg.Connection, moves: Collection[tuple[Claim, int]], *, now: int
) -> None:
    """Move offsets, all or none; call it first in the transaction, it holds the claims locked.

    Args:
        connection: Inside the batch's transaction.
        moves: Claim and its new next offset. The claims themselves are changed by the caller
            after the commit.
        now: ms since 1970.

    Raises:
        FenceError: a claim belongs to somebody else now, or stands elsewhere.
    """
    tag = await connection.execute(
        "UPDATE partition_claim c SET next_offset = given.next, committed_at = $6"
        " FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[])"
        " AS given (topic, part, epoch, seen, next)"
        " WHERE c.topic = given.topic AND c.part = given.part AND c.epoch = given.epoch"
        " AND c.next_offset = given.seen",
        [claim.topic for claim, _ in moves],
        [claim.part for claim, _ in moves],
        [claim.epoch for claim, _ in moves],
        [claim.next_offset for claim, _ in moves],
        [offset for _, offset in moves],
        now,
    )
    if count_of(tag) != len(moves):
        raise FenceError(f"{count_of(tag)} of {len(moves)} claims are still ours")


async def reread(connection: asyncpg.Connection, claims: Collection[Claim]) -> dict[Place, Claim]:
    """Those claims that are still ours, with the offset that is committed.

    This is how the outcome of a COMMIT that was cut off is learnt.
    """
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM partition_claim c"  # noqa: S608 - column names only
        " JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS given (topic, part, epoch)"
        " USING (topic, part, epoch)",
        [claim.topic for claim in claims],
        [claim.part for claim in claims],
        [claim.epoch for claim in claims],
    )
    found = [Claim(*row) for row in rows]
    return {claim.place: claim for claim in found}


async def released(connection: asyncpg.Connection, places: Collection[Place]) -> list[Place]:
    """Those of the partitions that an operator held and let go, and that nobody took since."""
    rows = await connection.fetch(
        "SELECT topic, part FROM partition_claim"
        " JOIN unnest($1::text[], $2::int[]) AS given (topic, part) USING (topic, part)"
        " WHERE owner = '' AND held_by IS NULL",
        [topic for topic, _ in places],
        [part for _, part in places],
    )
    return [(row[0], row[1]) for row in rows]
