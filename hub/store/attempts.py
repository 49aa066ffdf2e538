"""Attempts: a record that is tried alone, or a portion of them, is put on record before.

A process that is killed can write nothing afterwards: a row that was left behind is such a death.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import asyncpg

from hub.store.claims import Claim, fence

STRETCH = 3
"""A claim that is taken so often in a row where it stood makes its next records run in portions."""
DEATHS = 3
"""Deaths of processes at one record, alone, after which it is a dead letter (``E-BUG``)."""
_KEPT_MS = 86_400_000


class Attempt(NamedTuple):
    """What earlier attempts came to.

    Attributes:
        deaths: Attempts that never ended.
        event_id: Of the event, where one of them got past decoding.
    """

    deaths: int
    event_id: str | None


def portion_at(record: str) -> str:
    """Names the portion that begins with a record."""
    return f"{record}+"


async def begin(
    connection: asyncpg.Connection,
    place: str,
    claim: Claim | None,
    *,
    owner: str,
    now: int,
) -> Attempt:
    """Note that a record is about to be tried alone, in a transaction of its own.

    Args:
        connection: Outside a transaction.
        place: Names the record: topic, partition and offset, or a timer's event; or a portion.
        claim: On its partition; None for a timer.
        owner: Who tries, for people to read.
        now: ms since 1970.

    Raises:
        FenceError: the partition belongs to somebody else; nothing was written.
    """
    async with connection.transaction():
        # A process that dies loses nothing by it, only a database that dies at the same time would.
        await connection.execute("SET LOCAL synchronous_commit TO off")
        if claim is not None:
            await fence(connection, [(claim, claim.next_offset)], now=now)
        (row,) = await connection.fetch(
            "INSERT INTO attempt AS a (place, owner, count, at) VALUES ($1, $2, 1, $3)"
            " ON CONFLICT (place) DO UPDATE SET count = a.count + 1, owner = excluded.owner,"
            " at = excluded.at RETURNING count - 1, event_id",
            place,
            owner,
            now,
        )
    return Attempt(row[0], row[1])


async def standing(connection: asyncpg.Connection, places: Collection[str]) -> set[str]:
    """Those of the records at which a process may have died."""
    rows = await connection.fetch("SELECT place FROM attempt WHERE place = ANY($1)", list(places))
    return {row[0] for row in rows}


async def decoded(connection: asyncpg.Connection, place: str, event_id: str) -> None:
    """The record could be decoded: only deciding it may kill."""
    await connection.execute("UPDATE attempt SET event_id = $2 WHERE place = $1", place, event_id)


async def end(connection: asyncpg.Connection, place: str) -> None:
    """The process lives: whatever came of the attempt, this record does not kill.

    Nor does the portion that began with it: its records have run one by one since.
    """
    ended = [place, portion_at(place)]
    await connection.execute("DELETE FROM attempt WHERE place = ANY($1)", ended)


async def forget(connection: asyncpg.Connection, *, now: int) -> None:
    """Drop what is older than a day: the record was worked since, or nobody tries it any more."""
    await connection.execute("DELETE FROM attempt WHERE at < $1", now - _KEPT_MS)
