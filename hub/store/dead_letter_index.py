"""The index of dead letters: those of intake and those of Decide in one list, found and grouped.

The bytes of Decide's lie in the row, those of intake's in ``dlq.hub.<topic>``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import asyncpg
import msgspec

from hub.store.dead_letters import OPEN, QUARANTINED, REPLAYS

Source = asyncpg.Pool | asyncpg.Connection


class Filter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which dead letters; None: any.

    Attributes:
        state: ``open``, ``settled``, ``quarantined``.
        code: ``E-…``.
        source: Connector id.
        type: Event type.
        stage: ``edge``, ``intake``, ``decide``.
        matter: Correlation.
        since: Failed last at or after this instant, ms since 1970.
        until: Failed last before this instant.
    """

    state: str | None = OPEN
    code: str | None = None
    source: str | None = None
    type: str | None = None
    stage: str | None = None
    matter: str | None = None
    since: int | None = None
    until: int | None = None


class Letter(msgspec.Struct):
    """A dead letter without its bytes; see :class:`hub.store.dead_letters.DeadLetterRow`.

    Attributes:
        first_code: Code of the first failure.
        replays: How often it was redriven.
        replayed_at: When last, ms since 1970.
        letter_part: Partition of its record in ``dlq.*``, once found.
        letter_off: Offset there.
        size: Bytes that lie in the row; None: none.
    """

    id: str
    stage: str
    topic: str
    part: int
    off: int
    source: str
    record_key: str
    event_id: str | None
    type: str
    correlation: str
    code: str
    category: str
    field: str
    detail: str
    attempts: int
    replays: int
    first_failed_at: int
    failed_at: int
    state: str
    settled_by: str | None
    settled_at: int | None
    first_code: str | None
    recorded_at: int | None
    told_at: int | None
    letter_part: int | None
    letter_off: int | None
    schema_id: int | None
    replayed_at: int | None
    size: int | None

    @property
    def is_spent(self) -> bool:
        """Whether it has been redriven as often as is allowed."""
        return self.replays >= REPLAYS or self.state == QUARANTINED


class Group(msgspec.Struct):
    """Dead letters of one code, department and schema."""

    code: str
    source: str
    type: str
    schema_id: int | None
    count: int
    first_at: int
    last_at: int


class Bytes(msgspec.Struct):
    """What lies in the row of a dead letter; ``headers`` packed."""

    key: bytes | None
    value: bytes | None
    headers: bytes | None


_NAMES = ", ".join(name for name in Letter.__struct_fields__ if name != "size")
_SELECT = f"SELECT {_NAMES}, octet_length(value) AS size FROM dead_letter"  # noqa: S608 - column names only
_WHERE = (
    " WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR code = $2)"
    " AND ($3::text IS NULL OR source = $3) AND ($4::text IS NULL OR type = $4)"
    " AND ($5::text IS NULL OR stage = $5) AND ($6::text IS NULL OR correlation = $6)"
    " AND ($7::bigint IS NULL OR failed_at >= $7) AND ($8::bigint IS NULL OR failed_at < $8)"
)


async def find(source: Source, wanted: Filter, *, limit: int = 100) -> list[Letter]:
    """Dead letters, the newest first."""
    rows = await source.fetch(
        f"{_SELECT}{_WHERE} ORDER BY failed_at DESC, id LIMIT $9",
        *msgspec.structs.astuple(wanted),
        limit,
    )
    return [Letter(*row) for row in rows]


async def oldest_first(source: Source, wanted: Filter, *, limit: int) -> list[Letter]:
    """Dead letters in the order of their places, as they are redriven."""
    rows = await source.fetch(
        f"{_SELECT}{_WHERE} ORDER BY first_failed_at, topic, part, off, id LIMIT $9",
        *msgspec.structs.astuple(wanted),
        limit,
    )
    return [Letter(*row) for row in rows]


async def by_ids(source: Source, ids: Collection[str]) -> list[Letter]:
    """Dead letters by their whole ids."""
    rows = await source.fetch(f"{_SELECT} WHERE id = ANY($1)", list(ids))
    return [Letter(*row) for row in rows]


async def beginning(source: Source, start: str) -> list[Letter]:
    """Those whose id begins with a text; two at most, to tell an unclear beginning."""
    rows = await source.fetch(f"{_SELECT} WHERE starts_with(id, $1) ORDER BY id LIMIT 2", start)
    return [Letter(*row) for row in rows]


async def groups(source: Source, wanted: Filter) -> list[Group]:
    """Counts by code, department and schema, the largest first."""
    rows = await source.fetch(
        "SELECT code, source, type, schema_id, count(*), min(first_failed_at), max(failed_at)"  # noqa: S608 - texts of this module
        f" FROM dead_letter{_WHERE}"
        " GROUP BY 1, 2, 3, 4 ORDER BY count(*) DESC, code, source, type",
        *msgspec.structs.astuple(wanted),
    )
    return [Group(*row) for row in rows]


async def contents(source: Source, name: str) -> Bytes:
    """The bytes in the row; all None where they lie in ``dlq.*``."""
    row = await source.fetchrow("SELECT key, value, headers FROM dead_letter WHERE id = $1", name)
    return Bytes(*row) if row else Bytes(None, None, None)


async def place(connection: asyncpg.Connection, found: Mapping[str, tuple[int, int]]) -> None:
    """Keep where the bytes of dead letters lie in ``dlq.*``: id → partition, offset."""
    await connection.execute(
        "UPDATE dead_letter d SET letter_part = given.part, letter_off = given.off"
        " FROM unnest($1::text[], $2::int[], $3::bigint[]) AS given (id, part, off)"
        " WHERE d.id = given.id",
        list(found),
        [part for part, _ in found.values()],
        [off for _, off in found.values()],
    )


async def quarantine(connection: asyncpg.Connection, name: str) -> None:
    """Set one aside for good that was redriven as often as is allowed."""
    await connection.execute(
        f"UPDATE dead_letter SET state = '{QUARANTINED}' WHERE id = $1 AND state = '{OPEN}'",  # noqa: S608 - constants
        name,
    )
