"""Dead letters: records that could not be used, with a reason somebody can act on."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID, uuid5

import asyncpg
import msgspec

_NAMESPACE = UUID("5b0f8f0c-33a4-5a1e-8d0b-8f6d2f1f7c11")

OPEN = "open"
SETTLED = "settled"


class DeadLetterRow(msgspec.Struct, gc=False):
    """One dead letter.

    Attributes:
        id: Deterministic, see :func:`id_of`.
        stage: ``intake`` or ``decide``.
        topic: Where the record lies.
        part: Partition.
        off: Offset.
        source: Connector id.
        record_key: The source's key of the record; never an ID number.
        event_id: None where the record could not be read as an event.
        type: Type of the event, as far as known.
        correlation: The matter.
        code: ``E-…``.
        category: See :class:`hub.kernel.errors.ErrorCategory`.
        field: Path of the wrong field.
        detail: Short text without personal data.
        key: Record key, as read.
        value: Record value, as read.
        headers: :func:`hub.model.outbox.pack` of the record's headers.
        attempts: How often it was tried.
        failed_at: ms since 1970.
        state: ``open`` or ``settled``.
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
    key: bytes | None
    value: bytes | None
    headers: bytes | None
    attempts: int
    failed_at: int
    state: str = OPEN


def id_of(topic: str, part: int, off: int) -> str:
    """The id of the dead letter of one record: the same, however often it fails."""
    return str(uuid5(_NAMESPACE, f"{topic}/{part}/{off}"))


_COLUMNS = {
    "id": "text", "stage": "text", "topic": "text", "part": "int", "off": "bigint",
    "source": "text", "record_key": "text", "event_id": "text", "type": "text",
    "correlation": "text", "code": "text", "category": "text", "field": "text",
    "detail": "text", "key": "bytea", "value": "bytea", "headers": "bytea", "attempts": "int",
    "failed_at": "bigint", "state": "text",
}  # fmt: skip
_WRITE = (
    f"INSERT INTO dead_letter AS d ({', '.join(_COLUMNS)}, first_failed_at)"  # noqa: S608
    f" SELECT given.*, given.failed_at FROM unnest("
    f"{', '.join(f'${n}::{kind}[]' for n, kind in enumerate(_COLUMNS.values(), 1))})"
    f" AS given ({', '.join(_COLUMNS)})"
    # The first failure stays on record; a record that fails again is open again.
    " ON CONFLICT (id) DO UPDATE SET failed_at = excluded.failed_at,"
    " attempts = d.attempts + 1, state = excluded.state, settled_by = NULL, settled_at = NULL"
)


async def write(connection: asyncpg.Connection, rows: Collection[DeadLetterRow]) -> None:
    """Put dead letters on record."""
    unique = {row.id: row for row in rows}
    await connection.execute(
        _WRITE, *zip(*(msgspec.structs.astuple(row) for row in unique.values()), strict=True)
    )


_FEW = 200
"""Open dead letters that are read rather than asked for one by one."""


async def settle(
    connection: asyncpg.Connection,
    records: Collection[tuple[str, str, str]],
    *,
    now: int,
) -> None:
    """Close the open dead letters of source records that came again, corrected.

    Args:
        connection: Inside the batch's transaction.
        records: Source, record key, and the event that settles it.
        now: ms since 1970.
    """
    rows = await connection.fetch(
        f"SELECT source, record_key FROM dead_letter WHERE state = 'open' LIMIT {_FEW}"  # noqa: S608
    )
    if len(rows) < _FEW:
        # Mostly few are open and none of these is meant: then there is nothing to look for.
        open_ = {(row[0], row[1]) for row in rows}
        records = [record for record in records if record[:2] in open_]
        if not records:
            return
    await connection.execute(
        "UPDATE dead_letter d SET state = 'settled', settled_by = given.by, settled_at = $4"
        " FROM unnest($1::text[], $2::text[], $3::text[]) AS given (source, record_key, by)"
        " WHERE d.source = given.source AND d.record_key = given.record_key"
        " AND d.state = 'open' AND d.event_id IS DISTINCT FROM given.by",
        *zip(*records, strict=True),
        now,
    )
