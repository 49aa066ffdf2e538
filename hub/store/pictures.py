"""Pictures: the sampler's newest look, and its history as arrays of bounded age."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import NamedTuple

import asyncpg

CHANNEL = "hub_picture"
_POINTS = 60
"""Points of a row."""
_GAP = float("nan")


class Level(NamedTuple):
    """One resolution of history."""

    number: int
    step: int
    """ms between points."""
    kept: int
    """ms that are kept."""


LEVELS = (
    Level(0, 5_000, 3_600_000),
    Level(1, 60_000, 86_400_000),
    Level(2, 600_000, 10 * 86_400_000),
)

Executor = asyncpg.Connection | asyncpg.Pool


async def lock(connection: asyncpg.Connection) -> bool:
    """Become the one sampler of this database, as long as the connection lives."""
    got: bool = await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('hub/sampler'))")
    return got


async def write(connection: asyncpg.Connection, number: int, at: int, doc: bytes) -> None:
    """Put the newest picture on record and tell whoever listens."""
    await connection.execute(
        "INSERT INTO picture (number, at, doc) VALUES ($1, $2, $3) ON CONFLICT (sole)"
        " DO UPDATE SET number = excluded.number, at = excluded.at, doc = excluded.doc",
        number,
        at,
        doc,
    )
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(number))


async def read(executor: Executor) -> bytes | None:
    """The newest picture; None: none was taken yet."""
    found: bytes | None = await executor.fetchval("SELECT doc FROM picture")
    return found


async def number(executor: Executor) -> int:
    """Number of the newest picture; 0: none was taken yet."""
    found: int | None = await executor.fetchval("SELECT number FROM picture")
    return found or 0


async def taken_at(executor: Executor) -> int | None:
    """When the newest picture was taken, ms since 1970; None: none was."""
    found: int | None = await executor.fetchval("SELECT at FROM picture")
    return found


async def append(
    connection: asyncpg.Connection, level: Level, at: int, values: Mapping[str, float | None]
) -> None:
    """Add a point to each series; points missed before it in its row become gaps.

    Args:
        connection: The sampler's.
        level: Resolution.
        at: ms since 1970.
        values: Key → value; None is a gap.
    """
    place = at // level.step
    chunk, index = divmod(place, _POINTS)
    await connection.execute(
        "INSERT INTO series AS s (level, chunk, key, points)"
        " SELECT $1, $2, key, array_fill('NaN'::real, ARRAY[$3::int]) || value"
        " FROM unnest($4::text[], $5::real[]) AS given (key, value)"
        " ON CONFLICT (key, level, chunk) DO UPDATE SET points ="
        " CASE WHEN cardinality(s.points) > $3 THEN s.points ELSE s.points || array_fill("
        " 'NaN'::real, ARRAY[$3::int - cardinality(s.points)]) ||"
        " excluded.points[cardinality(excluded.points)] END",
        level.number,
        chunk,
        index,
        list(values),
        [_GAP if value is None else float(value) for value in values.values()],
    )


async def forget(connection: asyncpg.Connection, now: int) -> None:
    """Drop what is older than its level is kept."""
    for level in LEVELS:
        oldest = (now - level.kept) // level.step // _POINTS
        await connection.execute(
            "DELETE FROM series WHERE level = $1 AND chunk < $2", level.number, oldest
        )


async def history(
    executor: Executor, keys: list[str], level: Level, now: int
) -> dict[str, list[tuple[int, float | None]]]:
    """Points of series over the span that their level is kept, gaps as None."""
    oldest = (now - level.kept) // level.step // _POINTS
    rows = await executor.fetch(
        "SELECT key, chunk, points FROM series WHERE level = $1 AND key = ANY($2) AND chunk >= $3"
        " ORDER BY key, chunk",
        level.number,
        keys,
        oldest,
    )
    found: dict[str, list[tuple[int, float | None]]] = {key: [] for key in keys}
    for key, chunk, points in rows:
        for index, value in enumerate(points):
            at = (chunk * _POINTS + index) * level.step
            if now - level.kept <= at <= now:
                found[key].append((at, None if isnan(value) else value))
    return found
