"""Seen events: what became of every event, and how a repeat is known.

Partitioned by the month of ``occurred_at``, which is part of what the event id is derived from,
so that old months can be dropped and the index of the current one stays small.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from hub.kernel.clocks import epoch_ms, from_epoch_ms
from hub.kernel.event_ids import id_text
from hub.store.arrays import literal
from hub.store.connections import ConflictError, count_of

DECIDED = "decided"
FILTERED = "filtered"
DEAD_LETTER = "dead_letter"

KEPT_DAYS = 400
"""How long an event is remembered; older repeats of referrals are caught by their own key."""

_AHEAD = 3
_LOCK = 0x48554202
"""Advisory lock: one process makes and drops months, the others wait for it."""
_MONTHS: dict[int, int] = {}
_DAY_MS = 86_400_000
_EIGHT_HOURS_MS = 28_800_000
_LAST_MS = 253_370_764_800_000


_COLUMNS = (
    "month",
    "event_id",
    "digest",
    "disposition",
    "reason",
    "type",
    "part",
    "off",
    "source",
    "at",
)


class Seen(msgspec.Struct, gc=False):
    """One event and its disposition.

    Attributes:
        month: See :func:`month_of`.
        event_id: Text of 36 characters.
        digest: 8 bytes over the content.
        disposition: ``decided``, ``filtered`` or ``dead_letter``.
        reason: Why it was filtered, or the dead letter's code.
        type: Type of the event.
        part: Partition of its topic.
        off: Offset there.
        source: Connector id, whose fact it is.
    """

    month: int
    event_id: str
    digest: bytes
    disposition: str
    reason: str | None
    type: str
    part: int
    off: int
    source: str


def month_of(occurred_at: int) -> int:
    """Year and month as a number (``202504``), Asia/Shanghai, of ms since 1970."""
    day = (occurred_at + _EIGHT_HOURS_MS) // _DAY_MS
    try:
        return _MONTHS[day]
    except KeyError:
        # An absurd instant is for the deciders to judge, not a reason to fall over here.
        instant = from_epoch_ms(min(max(0, occurred_at), _LAST_MS))
        found = instant.year * 100 + instant.month
        if len(_MONTHS) < 100_000:
            _MONTHS[day] = found
        return found


async def known(
    connection: asyncpg.Connection, wanted: Collection[tuple[int, str]]
) -> dict[str, tuple[bytes, str]]:
    """Those of the events that were seen before.

    Args:
        connection: Inside the batch's transaction.
        wanted: Month and event id.

    Returns:
        Event id → (digest, disposition).
    """
    rows = await connection.fetch(
        "SELECT s.event_id, s.digest, s.disposition"
        " FROM unnest($1::text::int[], $2::text[]::uuid[]) AS given (month, event_id)"
        " JOIN seen_event s ON s.month = given.month AND s.event_id = given.event_id",
        literal([month for month, _ in wanted]),
        [event_id for _, event_id in wanted],
    )
    return {id_text(row[0].bytes): (row[1], row[2]) for row in rows}


async def write(
    connection: asyncpg.Connection,
    rows: Collection[Seen],
    *,
    now: int,
    again: Collection[str] = (),
) -> None:
    """Remember events; one that was a dead letter takes its new disposition.

    Args:
        connection: Inside the batch's transaction.
        rows: The events.
        now: ms since 1970.
        again: Ids of those that are on record as dead letters.

    Raises:
        ConflictError: somebody else decided one of them meanwhile.
    """
    records = [(*msgspec.structs.astuple(row), now) for row in rows]
    later = [record for record in records if record[1] in again] if again else []
    if later:
        records = [record for record in records if record[1] not in again]
        await _rewrite(connection, later)
    try:
        await connection.copy_records_to_table("seen_event", records=records, columns=_COLUMNS)
    except asyncpg.UniqueViolationError as error:
        raise ConflictError("seen_event") from error


async def _rewrite(connection: asyncpg.Connection, records: list[tuple[Any, ...]]) -> None:
    """New dispositions of dead letters."""
    tag = await connection.execute(
        "UPDATE seen_event s SET digest = given.digest, disposition = given.disposition,"
        " reason = given.reason, part = given.part, off = given.off, source = given.source,"
        " at = given.at"
        " FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::text[], $5::text[], $6::text[],"
        " $7::int[], $8::bigint[], $9::text[], $10::bigint[])"
        " AS given (month, event_id, digest, disposition, reason, type, part, off, source, at)"
        " WHERE s.month = given.month AND s.event_id = given.event_id"
        " AND s.disposition = 'dead_letter'",
        *zip(*records, strict=True),
    )
    if count_of(tag) != len(records):
        raise ConflictError("seen_event")


async def keep_months(connection: asyncpg.Connection, now: datetime) -> None:
    """Make the partitions of the coming months, drop those past :data:`KEPT_DAYS`.

    A month whose rows already lie in the default partition keeps lying there. Old facts that
    were decided only lately (a late report, an opening balance) are kept as long as others.
    """
    # CREATE TABLE IF NOT EXISTS does not bear two at once, and workers start side by side.
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        await _keep(connection, now)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _keep(connection: asyncpg.Connection, now: datetime) -> None:
    today = now.date()
    cut = epoch_ms(now) - KEPT_DAYS * _DAY_MS
    oldest = today - timedelta(days=KEPT_DAYS)
    first = oldest.year * 12 + oldest.month - 1
    last = today.year * 12 + today.month - 1 + _AHEAD
    rows = await connection.fetch(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
        " WHERE inhparent = 'seen_event'::regclass"
    )
    present = {row[0] for row in rows}
    for index in range(first, last + 1):
        if f"seen_event_{_month(index)}" not in present:
            await _make(connection, index)
    for name in present - {"seen_event_other"}:
        if int(name.rpartition("_")[2]) < _month(first):
            late = f"SELECT 1 FROM {name} WHERE at >= $1 LIMIT 1"  # noqa: S608 - from pg_class
            if not await connection.fetchval(late, cut):
                await connection.execute(f"DROP TABLE IF EXISTS {name}")
    await connection.execute(
        "DELETE FROM seen_event_other WHERE month < $1 AND at < $2", _month(first), cut
    )


def _month(index: int) -> int:
    return index // 12 * 100 + index % 12 + 1


async def _make(connection: asyncpg.Connection, index: int) -> None:
    month = _month(index)
    held = await connection.fetchval(
        "SELECT 1 FROM seen_event_other WHERE month = $1 LIMIT 1", month
    )
    if held:
        return
    try:
        await connection.execute(
            f"CREATE TABLE IF NOT EXISTS seen_event_{month} PARTITION OF seen_event"
            f" FOR VALUES FROM ({month}) TO ({_month(index + 1)})"
        )
    except (asyncpg.CheckViolationError, asyncpg.DuplicateTableError, asyncpg.UniqueViolationError):
        # Such an event arrived between the look and the statement; its month stays outside. Or
        # another worker has just made it: IF NOT EXISTS does not help two at the same time.
        return
