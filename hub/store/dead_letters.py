"""Dead letters: records that could not be used, with a reason somebody can act on."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID, uuid5

import asyncpg
import msgspec

_NAMESPACE = UUID("5b0f8f0c-33a4-5a1e-8d0b-8f6d2f1f7c11")

OPEN = "open"
SETTLED = "settled"
QUARANTINED = "quarantined"
STATES = (OPEN, SETTLED, QUARANTINED)

SKIPPED = "E-SKIPPED"
"""Code of records that an operator skipped: there was nothing wrong with them, so only their own
event settles them."""

REPLAYS = 3
"""Redrives of one dead letter; if it fails after the last one, it is quarantined."""


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
        state: One of :data:`STATES`.
        recorded_at: ms since 1970, when the connector made the record; None: not known.
        told_at: ms since 1970 by the broker's clock, when intake told of it; its bytes were
            written to ``dlq.*`` about then.
        schema_id: Of the record's schema; None: raw.
        settled_by: Event that settled it.
        settled_at: ms since 1970.
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
    recorded_at: int | None = None
    told_at: int | None = None
    schema_id: int | None = None
    settled_by: str | None = None
    settled_at: int | None = None


def id_of(topic: str, part: int, off: int) -> str:
    """The id of the dead letter of one record: the same, however often it fails."""
    return str(uuid5(_NAMESPACE, f"{topic}/{part}/{off}"))


_COLUMNS = {
    "id": "text", "stage": "text", "topic": "text", "part": "int", "off": "bigint",
    "source": "text", "record_key": "text", "event_id": "text", "type": "text",
    "correlation": "text", "code": "text", "category": "text", "field": "text",
    "detail": "text", "key": "bytea", "value": "bytea", "headers": "bytea", "attempts": "int",
    "failed_at": "bigint", "state": "text", "recorded_at": "bigint", "told_at": "bigint",
    "schema_id": "int", "settled_by": "text", "settled_at": "bigint",
}  # fmt: skip
_WRITE = (
    f"INSERT INTO dead_letter AS d ({', '.join(_COLUMNS)}, first_failed_at, first_code)"  # noqa: S608
    f" SELECT given.*, given.failed_at, given.code FROM unnest("
    f"{', '.join(f'${n}::{kind}[]' for n, kind in enumerate(_COLUMNS.values(), 1))})"
    f" AS given ({', '.join(_COLUMNS)})"
    # The first failure and the bytes of then stay on record; a record that fails again is open
    # again, or quarantined where redriving it has not helped often enough.
    " ON CONFLICT (id) DO UPDATE SET failed_at = excluded.failed_at, code = excluded.code,"
    " category = excluded.category, field = excluded.field, detail = excluded.detail,"
    " first_code = coalesce(d.first_code, d.code), attempts = d.attempts + 1,"
    " settled_by = excluded.settled_by, settled_at = excluded.settled_at,"
    f" state = CASE WHEN excluded.state = '{OPEN}' AND d.replays >= {REPLAYS}"
    f" THEN '{QUARANTINED}' ELSE excluded.state END"
)


async def write(connection: asyncpg.Connection, rows: Collection[DeadLetterRow]) -> None:
    """Put dead letters on record."""
    unique = {row.id: row for row in rows}
    await connection.execute(
        _WRITE, *zip(*(msgspec.structs.astuple(row) for row in unique.values()), strict=True)
    )


class Settling(NamedTuple):
    """An event that was decided: its record needs no dead letter any more."""

    source: str
    record_key: str
    event_id: str
    type: str
    recorded: int

    def settles(self, row: DeadLetterRow) -> bool:
        """Whether it settles a dead letter that an earlier record of the same batch became.

        A record that fails as a whole is settled by any later event of it, one event of it only
        by an event of that type.
        """
        return (
            (row.source, row.record_key) == (self.source, self.record_key)
            and (row.recorded_at is None or row.recorded_at <= self.recorded)
            and (row.stage != "decide" or row.type == self.type)
            and (row.code != SKIPPED or row.event_id == self.event_id)
        )


_FEW = 200
"""Unsettled dead letters that are read rather than asked for one by one."""


async def settle(connection: asyncpg.Connection, events: Collection[Settling], *, now: int) -> None:
    """Settle the dead letters of source records of which an event was decided.

    Call it before this batch's own dead letters are written: of two events under one id, one
    may have been decided and the other be a dead letter.

    Args:
        connection: Inside the batch's transaction.
        events: What was decided.
        now: ms since 1970.
    """
    rows = await connection.fetch(
        f"SELECT source, record_key FROM dead_letter WHERE state <> 'settled' LIMIT {_FEW}"  # noqa: S608
    )
    if len(rows) < _FEW:
        # Mostly few are open and none of these is meant: then there is nothing to look for.
        unsettled = {(row[0], row[1]) for row in rows}
        events = [event for event in events if event[:2] in unsettled]
    # PostgreSQL keeps no NUL in text, so no dead letter on record has such a key.
    events = [event for event in events if "\0" not in event.source + event.record_key]
    if not events:
        return
    await connection.execute(
        "UPDATE dead_letter d SET state = 'settled', settled_by = given.by, settled_at = $6"  # noqa: S608 - a constant
        " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])"
        " AS given (source, record_key, by, type, recorded)"
        " WHERE d.source = given.source AND d.record_key = given.record_key"
        " AND d.state <> 'settled' AND (d.recorded_at IS NULL OR d.recorded_at <= given.recorded)"
        " AND (d.stage <> 'decide' OR d.type = given.type)"
        f" AND (d.code <> '{SKIPPED}' OR d.event_id = given.by)",
        *zip(*events, strict=True),
        now,
    )
