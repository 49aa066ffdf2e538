"""Alarms on record: one row while an alarm stands, however often it is raised meanwhile."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg
import msgspec


class AlarmRow(msgspec.Struct, frozen=True):
    """One alarm.

    Attributes:
        id: Number of the row.
        kind: A key of :data:`hub.kernel.alarms.ALARMS`.
        place: What it is about, e.g. ``event.health/3``; never a person.
        detail: Short text without personal data, of the last time.
        first_at: ms since 1970.
        last_at: ms since 1970.
        count: How often it was raised.
        cleared_at: ms since 1970; None while it stands.
    """

    id: int
    kind: str
    place: str
    detail: str
    first_at: int
    last_at: int
    count: int
    cleared_at: int | None


_COLUMNS = ", ".join(AlarmRow.__struct_fields__)


async def sound(
    connection: asyncpg.Connection, kind: str, place: str, detail: str, *, now: int
) -> bool:
    """Raise an alarm.

    Returns:
        Whether it did not stand already.
    """
    count: int = await connection.fetchval(
        "INSERT INTO alarm AS a (kind, place, detail, first_at, last_at, count)"
        " VALUES ($1, $2, $3, $4, $4, 1) ON CONFLICT (kind, place) WHERE cleared_at IS NULL"
        " DO UPDATE SET detail = excluded.detail, last_at = excluded.last_at, count = a.count + 1"
        " RETURNING count",
        kind,
        place,
        detail,
        now,
    )
    return count == 1


async def clear(
    connection: asyncpg.Connection, kinds: Collection[str], places: Collection[str], *, now: int
) -> None:
    """End those that stand of some kinds at some places."""
    await connection.execute(
        "UPDATE alarm SET cleared_at = $3"
        " WHERE kind = ANY($1) AND place = ANY($2) AND cleared_at IS NULL",
        list(kinds),
        list(places),
        now,
    )


async def standing(connection: asyncpg.Connection) -> list[AlarmRow]:
    """Alarms that stand, the latest first; none in a database that has no such table yet."""
    if await connection.fetchval("SELECT to_regclass('alarm')") is None:
        return []
    return await _read(connection, "WHERE cleared_at IS NULL ORDER BY last_at DESC, id DESC", ())


async def history(connection: asyncpg.Connection, *, limit: int) -> list[AlarmRow]:
    """Alarms, cleared ones too, the latest first."""
    return await _read(connection, "ORDER BY last_at DESC, id DESC LIMIT $1", (limit,))


async def _read(
    connection: asyncpg.Connection, rest: str, values: tuple[int, ...]
) -> list[AlarmRow]:
    rows = await connection.fetch(f"SELECT {_COLUMNS} FROM alarm {rest}", *values)  # noqa: S608 - texts of this module only
    return [AlarmRow(*row) for row in rows]
