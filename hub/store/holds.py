"""Holds: an operator takes a partition's claim away from its worker, moves it and lets it go.

Holding raises the epoch, so the owner's next transaction fails at its fence; no worker takes a
held claim. Every statement locks the row that a running batch has locked, so once it returns
nothing of the former owner can still be written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import asyncpg
import msgspec

from hub.kernel.worker_events import HELD, WorkerEvent
from hub.store.claims import Place, owners
from hub.store.connections import ConflictError
from hub.store.worker_events import note

FREE = ""
"""Owner of a claim that was let go: the worker that has the partition may take it again."""


class Hold(msgspec.Struct):
    """A claim as operators see it.

    Attributes:
        topic: With prefix.
        part: Partition.
        epoch: How often it was taken.
        owner: Worker, or empty.
        next_offset: First offset that was not worked.
        committed_at: ms since 1970.
        held_by: The person who holds it; None: no one.
        held_at: ms since 1970.
        topic_id: The broker's id of the topic that was worked; None: not known.
    """

    topic: str
    part: int
    epoch: int
    owner: str
    next_offset: int
    committed_at: int
    held_by: str | None
    held_at: int | None
    topic_id: str | None

    @property
    def place(self) -> Place:
        """Topic and partition."""
        return self.topic, self.part


_COLUMNS = ", ".join(Hold.__struct_fields__)


async def listed(connection: asyncpg.Connection, topic: str | None = None) -> list[Hold]:
    """All claims, or those of one topic, in order."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM partition_claim"  # noqa: S608 - column names only
        " WHERE $1::text IS NULL OR topic = $1 ORDER BY topic, part",
        topic,
    )
    return [Hold(*row) for row in rows]


async def hold(
    connection: asyncpg.Connection, places: Collection[Place], *, person: str, now: int
) -> list[Hold]:
    """Take claims away from their workers; those that are held already stay with their holder.

    Returns:
        The claims held now by this call.
    """
    before = await owners(connection, places)
    held = await _changed(
        connection,
        f"epoch = c.epoch + 1, owner = '{FREE}', held_by = $3, held_at = $4",
        "c.held_by IS NULL",
        places,
        person,
        now,
    )
    for former, count in Counter(before.get(one.place, FREE) for one in held).items():
        await note(connection, WorkerEvent(now, HELD, person, former, partitions=count))
    return held


async def release(connection: asyncpg.Connection, places: Collection[Place]) -> list[Hold]:
    """Let claims go; their workers take them again within seconds.

    Returns:
        The claims that were held and are not any more.
    """
    return await _changed(
        connection, "held_by = NULL, held_at = NULL", "c.held_by IS NOT NULL", places
    )


async def move(connection: asyncpg.Connection, held: Hold, next_offset: int, *, now: int) -> None:
    """Set the offset of a held claim; it then belongs to the topic as it is now.

    Raises:
        ConflictError: the claim is not held any more, or was taken or moved since it was read.
    """
    found = await connection.fetchval(
        "UPDATE partition_claim SET next_offset = $5, committed_at = $6, epoch = epoch + 1,"
        " topic_id = NULL, taken_offset = NULL, taken_there = 0"
        " WHERE topic = $1 AND part = $2 AND epoch = $3 AND next_offset = $4"
        " AND held_by IS NOT NULL RETURNING 1",
        held.topic,
        held.part,
        held.epoch,
        held.next_offset,
        next_offset,
        now,
    )
    if found is None:
        raise ConflictError("partition_claim")


async def _changed(
    connection: asyncpg.Connection,
    change: str,
    where: str,
    places: Collection[Place],
    *values: object,
) -> list[Hold]:
    names = ", ".join(f"c.{name}" for name in Hold.__struct_fields__)
    rows = await connection.fetch(
        f"UPDATE partition_claim c SET {change}"  # noqa: S608 - texts of this module only
        " FROM unnest($1::text[], $2::int[]) AS given (topic, part)"
        f" WHERE c.topic = given.topic AND c.part = given.part AND {where} RETURNING {names}",
        [topic for topic, _ in places],
        [part for _, part in places],
        *values,
    )
    return sorted((Hold(*row) for row in rows), key=lambda one: one.place)
