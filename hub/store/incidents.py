"""Incidents: who has a trouble in hand, what was done about it, and whom to call."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

Source = asyncpg.Connection | asyncpg.Pool


class Incident(msgspec.Struct, frozen=True):
    """One incident; instants are ms since 1970.

    Attributes:
        id: Short and random.
        finding: Key of the finding it was opened from; None: opened by hand.
        who: Department or program; empty: the hub itself.
        title: One line.
        owner: Account that has it in hand.
        ticket: Number of the message to the department.
        cause: What it was; None while it is open.
    """

    id: str
    finding: str | None
    who: str
    title: str
    opened_by: str
    opened_at: int
    owner: str
    ticket: str | None
    ticket_sent_at: int | None
    ticket_answered_at: int | None
    closed_by: str | None
    closed_at: int | None
    cause: str | None


class Contact(msgspec.Struct, frozen=True):
    """Who is on duty at a department or program."""

    who: str
    name: str
    phone: str
    by: str
    at: int


_SELECT = f"SELECT {', '.join(Incident.__struct_fields__)} FROM incident"  # noqa: S608 - names only


async def listed(source: Source, *, closed: bool = False, limit: int = 100) -> list[Incident]:
    """Open incidents, or with ``closed`` all, the newest first."""
    rows = await source.fetch(
        f"{_SELECT} WHERE $1 OR closed_at IS NULL ORDER BY closed_at IS NOT NULL,"
        " opened_at DESC LIMIT $2",
        closed,
        limit,
    )
    return [Incident(*row) for row in rows]


async def between(source: Source, since: int, until: int) -> list[Incident]:
    """Incidents that were open at some moment of a span."""
    rows = await source.fetch(
        f"{_SELECT} WHERE opened_at < $2 AND coalesce(closed_at, $2) >= $1"
        " ORDER BY opened_at LIMIT 100",
        since,
        until,
    )
    return [Incident(*row) for row in rows]


class Taken(msgspec.Struct, frozen=True):
    """Who has an open incident in hand."""

    id: str
    finding: str | None
    who: str
    title: str
    owner: str
    """The account's name on screen."""
    opened_at: int


async def taken(source: Source) -> list[Taken]:
    """Open incidents with the names of those who have them."""
    rows = await source.fetch(
        "SELECT i.id, i.finding, i.who, i.title, coalesce(a.name, i.owner), i.opened_at"
        " FROM incident i LEFT JOIN account a ON a.id = i.owner WHERE i.closed_at IS NULL"
        " ORDER BY i.opened_at LIMIT 200"
    )
    return [Taken(*row) for row in rows]


async def one(source: Source, name: str) -> Incident | None:
    """An incident by its id."""
    row = await source.fetchrow(f"{_SELECT} WHERE id = $1", name)
    return Incident(*row) if row else None


async def notes(source: Source, name: str) -> list[dict[str, Any]]:
    """The history of an incident, oldest first."""
    rows = await source.fetch(
        "SELECT at, by, kind, note FROM incident_note WHERE incident = $1 ORDER BY id LIMIT 500",
        name,
    )
    return [dict(row) for row in rows]


async def open_one(
    connection: asyncpg.Connection,
    *,
    finding: str | None,
    who: str,
    title: str,
    by: str,
    now: int,
) -> tuple[str, bool]:
    """Take a trouble in hand.

    Returns:
        The incident's id, and whether it is new; a finding that somebody has in hand keeps its
        incident.
    """
    name = uuid4().hex[:12]
    made = await connection.fetchval(
        "INSERT INTO incident (id, finding, who, title, opened_by, opened_at, owner)"
        " VALUES ($1, $2, $3, $4, $5, $6, $5)"
        " ON CONFLICT (finding) WHERE closed_at IS NULL DO NOTHING RETURNING id",
        name,
        finding,
        who,
        title,
        by,
        now,
    )
    if made:
        await _note(connection, name, by, "opened", title, now)
        return name, True
    held: str = await connection.fetchval(
        "SELECT id FROM incident WHERE finding = $1 AND closed_at IS NULL", finding
    )
    return held, False


async def _note(
    connection: asyncpg.Connection, name: str, by: str, kind: str, note: str, now: int
) -> None:
    await connection.execute(
        "INSERT INTO incident_note (incident, at, by, kind, note) VALUES ($1, $2, $3, $4, $5)",
        name,
        now,
        by,
        kind,
        note,
    )


_STEPS = {
    "note": "owner = owner",
    "handed": "owner = $2",
    "ticket_sent": "ticket = $2, ticket_sent_at = $3, ticket_answered_at = NULL",
    "ticket_answered": "ticket_answered_at = $3",
    "closed": "cause = $2, closed_by = $4, closed_at = $3",
}
STEPS = tuple(_STEPS)


async def step(
    connection: asyncpg.Connection, name: str, kind: str, text: str, *, by: str, now: int
) -> bool:
    """One step of an open incident.

    Args:
        connection: In the act's transaction.
        name: The incident.
        kind: One of :data:`STEPS`.
        text: The note, new owner, ticket number, answer or cause.
        by: Account.
        now: ms since 1970.

    Returns:
        Whether it was open, and for an answer whether a ticket was sent.
    """
    row = await connection.fetchval(
        "UPDATE incident SET "  # noqa: S608 - texts of this module
        + _STEPS[kind]
        + " WHERE id = $1 AND closed_at IS NULL AND ($5 <> 'ticket_answered'"
        " OR ticket_sent_at IS NOT NULL) AND $2::text IS NOT NULL AND $3::bigint IS NOT NULL"
        " AND $4::text IS NOT NULL RETURNING id",
        name,
        text,
        now,
        by,
        kind,
    )
    if row:
        await _note(connection, name, by, kind, text, now)
    return row is not None


async def contacts(source: Source) -> dict[str, Contact]:
    """Contacts on duty by department or program."""
    rows = await source.fetch("SELECT who, name, phone, by, at FROM contact ORDER BY who")
    return {row["who"]: Contact(*row) for row in rows}


async def set_contact(
    connection: asyncpg.Connection, who: str, name: str, phone: str, *, by: str, now: int
) -> None:
    """Note who is on duty."""
    await connection.execute(
        "INSERT INTO contact (who, name, phone, by, at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (who) DO UPDATE SET name = excluded.name, phone = excluded.phone,"
        " by = excluded.by, at = excluded.at",
        who,
        name,
        phone,
        by,
        now,
    )
