"""Crashes: which record made the process die, counted, so that the third time it is set aside."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg
import msgspec

from hub.store.claims import Claim, Place, fence

TOLERATED = 2
"""Crashes at one record after which the next one makes it a dead letter (``E-BUG``)."""


class Crash(msgspec.Struct, frozen=True):
    """Where an unexpected exception was raised.

    Attributes:
        topic: Topic, or ``timer``.
        part: Partition.
        off: Offset.
        event_id: None where the record could not be read.
        error: Class of the exception and place in the source; never its text, which may quote
            the record.
    """

    topic: str
    part: int
    off: int
    event_id: str | None
    error: str

    @property
    def place(self) -> str:
        """Key of the row."""
        return f"{self.topic}/{self.part}/{self.off}/{self.event_id or ''}"


async def record(
    connection: asyncpg.Connection, crash: Crash, claim: Claim | None, *, now: int
) -> int:
    """Count a crash in a transaction of its own, fenced where a partition is claimed.

    Returns:
        How often this record has crashed a process, this time included.

    Raises:
        FenceError: the partition belongs to somebody else; nothing was written.
    """
    async with connection.transaction():
        if claim is not None:
            await fence(connection, [(claim, claim.next_offset)], now=now)
        count: int = await connection.fetchval(
            "INSERT INTO crash AS c (place, topic, part, off, event_id, count, error, at)"
            " VALUES ($1, $2, $3, $4, $5, 1, $6, $7) ON CONFLICT (place)"
            " DO UPDATE SET count = c.count + 1, error = excluded.error, at = excluded.at"
            " RETURNING count",
            crash.place,
            crash.topic,
            crash.part,
            crash.off,
            crash.event_id,
            crash.error,
            now,
        )
    return count


async def ahead(
    connection: asyncpg.Connection, claims: Collection[Claim]
) -> dict[Place, dict[int, int]]:
    """Crashes at or after the offset of claims: partition → offset → count."""
    rows = await connection.fetch(
        "SELECT topic, part, off, count FROM crash"
        " JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS given (topic, part, next)"
        " USING (topic, part) WHERE off >= given.next",
        [claim.topic for claim in claims],
        [claim.part for claim in claims],
        [claim.next_offset for claim in claims],
    )
    found: dict[Place, dict[int, int]] = {}
    for topic, part, off, count in rows:
        found.setdefault((topic, part), {})[off] = count
    return found


async def of_timers(connection: asyncpg.Connection) -> dict[str, int]:
    """Crashes while a timer fired: event id → count."""
    rows = await connection.fetch("SELECT event_id, count FROM crash WHERE topic = 'timer'")
    return {row[0]: row[1] for row in rows}
