"""Audit: one row for every decision with an effect, every copy that left or was denied.

Rows are only appended. ``hash`` has room for a chain that a single job computes afterwards, so
that no batch waits for another one's row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import asyncpg
import msgspec

_COLUMNS = ("at", "kind", "actor", "event_id", "type", "uid", "household", "correlation", "doc")


class AuditRow(msgspec.Struct, gc=False):
    """One entry.

    Attributes:
        kind: ``decision``, ``denied``, ``dead_letter``, ``settled``, or an operator's act.
        actor: ``hub``, or who did it.
        event_id: The causing event.
        type: Its type.
        uid: The person concerned.
        household: The household concerned.
        correlation: The matter; None where the event itself began it.
        doc: JSON: rules, versions, facts, effects; never a name or an ID number.
    """

    kind: str
    actor: str
    event_id: str | None
    type: str | None
    uid: bytes | None
    household: str | None
    correlation: str | None
    doc: str


async def write(connection: asyncpg.Connection, rows: Collection[AuditRow], *, now: int) -> None:
    """Append rows."""
    await connection.copy_records_to_table(
        "audit",
        records=[(now, *msgspec.structs.astuple(row)) for row in rows],
        columns=_COLUMNS,
    )


async def append(executor: asyncpg.Connection | asyncpg.Pool, row: AuditRow, *, now: int) -> None:
    """Append one row, for acts of people: COPY has no use there."""
    marks = ", ".join(f"${at}" for at in range(1, len(_COLUMNS) + 1))
    await executor.execute(
        f"INSERT INTO audit ({', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608 - names only
        now,
        *msgspec.structs.astuple(row),
    )


async def act(
    connection: asyncpg.Connection,
    kind: str,
    actor: str,
    doc: Mapping[str, Any],
    *,
    now: int,
    event_id: str | None = None,
    correlation: str | None = None,
) -> None:
    """Append what a person did: who, what, why; never a name or an ID number of somebody else."""
    text = msgspec.json.encode(doc).decode()
    row = AuditRow(kind, actor, event_id, None, None, None, correlation, text)
    await write(connection, [row], now=now)
