"""Operations: what a person asks for, who else agreed, and how far it is.

An operation on several records, or on a changed one, takes a second person. The tables refuse the
asker's own approval and a start without one, whatever the code above them does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec

from hub.kernel.errors import HubError
from hub.store import audit

Source = asyncpg.Pool | asyncpg.Connection

ASKED, REFUSED, READY, RUNNING, PAUSED, STOPPED, DONE = (
    "asked", "refused", "ready", "running", "paused", "stopped", "done",
)  # fmt: skip
WAITING, SKIPPED = "waiting", "skipped"
_MAY = {
    RUNNING: (READY, RUNNING, PAUSED),
    PAUSED: (READY, RUNNING),
    STOPPED: (ASKED, READY, RUNNING, PAUSED),
}
"""State → those it may follow."""


class Operation(msgspec.Struct):
    """One operation.

    Attributes:
        id: Text of 36 characters.
        kind: ``redrive`` or ``replay``.
        asked_by: Account of the person.
        asked_at: ms since 1970.
        reason: Why.
        spec: What exactly, for people to read: filter, fields that were changed.
        total: Records.
        edited: Whether a record is changed.
        two_persons: Whether a second person has to agree.
        approved_by: Who did.
        state: ``asked``, ``refused``, ``ready``, ``running``, ``paused``, ``stopped``, ``done``.
        rate: Records per second at most.
        changed_at: ms since 1970.
        done: Records worked.
        skipped: Records left out, each with its reason.
    """

    id: str
    kind: str
    asked_by: str
    asked_at: int
    reason: str
    spec: dict[str, Any]
    total: int
    edited: bool
    two_persons: bool
    approved_by: str | None
    state: str
    rate: int
    changed_at: int
    done: int = 0
    skipped: int = 0


class Item(msgspec.Struct):
    """One record of an operation.

    Attributes:
        n: Its number, from 1.
        ref: Dead letter, or ``topic/partition/offset`` of a replayed event.
        state: ``waiting``, ``done``, ``skipped``.
        edited: The changed value, until it was sent.
        result: Where it was sent, or why not.
        replay: Which redrive of the dead letter it is, once it was begun.
    """

    n: int
    ref: str
    state: str
    edited: bytes | None = None
    result: str | None = None
    replay: int | None = None


_OWN = tuple(name for name in Operation.__struct_fields__ if name not in {"done", "skipped"})
_SELECT = (
    "SELECT "  # noqa: S608 - column names only
    + ", ".join("spec::text" if name == "spec" else name for name in _OWN)
    + ", (SELECT count(*) FROM operation_item i WHERE i.operation = o.id AND i.state = 'done'),"
    " (SELECT count(*) FROM operation_item i WHERE i.operation = o.id AND i.state = 'skipped')"
    " FROM operation o"
)


def _operation(row: Any) -> Operation:
    values = list(row)
    values[_OWN.index("spec")] = msgspec.json.decode(values[_OWN.index("spec")])
    return Operation(*values)


async def ask(
    connection: asyncpg.Connection, wanted: Operation, items: Sequence[tuple[str, bytes | None]]
) -> None:
    """Put an operation on record with its items (ref, changed value)."""
    async with connection.transaction():
        names = ", ".join(_OWN)
        given = ", ".join(f"${n}" for n in range(1, len(_OWN) + 1))
        values = [getattr(wanted, name) for name in _OWN]
        values[_OWN.index("spec")] = msgspec.json.encode(wanted.spec).decode()
        await connection.execute(f"INSERT INTO operation ({names}) VALUES ({given})", *values)  # noqa: S608 - column names only
        await connection.copy_records_to_table(
            "operation_item",
            records=[
                (wanted.id, n, ref, WAITING, edited) for n, (ref, edited) in enumerate(items, 1)
            ],
            columns=("operation", "n", "ref", "state", "edited"),
        )
        await note(connection, wanted, "operation.asked", wanted.asked_by, wanted.reason)


async def note(
    connection: asyncpg.Connection,
    operation: Operation,
    kind: str,
    person: str,
    reason: str = "",
    **more: Any,
) -> None:
    """Put an act on the audit, inside its transaction."""
    doc = {
        "operation": operation.id,
        "of": operation.kind,
        "total": operation.total,
        "edited": operation.edited,
        "reason": reason,
        **more,
    }
    await audit.act(connection, kind, person, doc, now=operation.changed_at)


async def found(source: Source, start: str) -> Operation:
    """The operation whose id begins with a text.

    Raises:
        HubError: none, or several.
    """
    rows = await source.fetch(f"{_SELECT} WHERE starts_with(id, $1) LIMIT 2", start)
    if len(rows) != 1:
        raise HubError(
            f"{'Several operations begin' if rows else 'No operation begins'} with {start}.",
            hint="'hub approvals list --all' shows them.",
            message_zh=f"{'有多个' if rows else '没有'}编号以 {start} 开头的操作;"
            "用 hub approvals list --all 查看。",
        )
    return _operation(rows[0])


async def listed(source: Source, *, everything: bool = False, limit: int = 200) -> list[Operation]:
    """Operations, the newest first; without ``everything`` those that are not ended."""
    rows = await source.fetch(
        f"{_SELECT} WHERE $1 OR state NOT IN ('done', 'refused', 'stopped')"
        " ORDER BY asked_at DESC, id LIMIT $2",
        everything,
        limit,
    )
    return [_operation(row) for row in rows]


async def items(source: Source, operation: str, *, limit: int = 10_000) -> list[Item]:
    """Items in order, without changed values."""
    rows = await source.fetch(
        "SELECT n, ref, state, NULL::bytea, result, replay FROM operation_item"
        " WHERE operation = $1 ORDER BY n LIMIT $2",
        operation,
        limit,
    )
    return [Item(*row) for row in rows]


async def judge(
    connection: asyncpg.Connection,
    operation: Operation,
    person: str,
    *,
    approved: bool,
    reason: str,
    now: int,
) -> None:
    """Approve or refuse what somebody else has asked for.

    Raises:
        HubError: the person asked for it himself, or it waits for no verdict.
    """
    if person == operation.asked_by:
        raise HubError(
            f"{person} asked for this operation and cannot approve it.",
            hint="A second person has to.",
            message_zh=f"操作由 {person} 提出,不能由本人批准;须由另一人批准。",
        )
    async with connection.transaction():
        state = await connection.fetchval(
            "SELECT state FROM operation WHERE id = $1 FOR UPDATE", operation.id
        )
        if state != ASKED:
            raise _unfit(operation.id, state)
        await connection.execute(
            "INSERT INTO approval (operation, asked_by, person, verdict, reason, at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            operation.id,
            operation.asked_by,
            person,
            "approved" if approved else "refused",
            reason,
            now,
        )
        await connection.execute(
            "UPDATE operation SET state = $2, approved_by = $3, changed_at = $4 WHERE id = $1",
            operation.id,
            READY if approved else REFUSED,
            person if approved else None,
            now,
        )
        operation.state, operation.changed_at = READY if approved else REFUSED, now
        operation.approved_by = person if approved else None
        kind = "operation.approved" if approved else "operation.refused"
        await note(connection, operation, kind, person, reason)


async def turn(
    connection: asyncpg.Connection, operation: Operation, state: str, person: str, *, now: int
) -> None:
    """Run, pause or stop an operation.

    Raises:
        HubError: it is not approved, or has ended.
    """
    async with connection.transaction():
        before = await connection.fetchval(
            "SELECT state FROM operation WHERE id = $1 FOR UPDATE", operation.id
        )
        if before not in _MAY[state]:
            raise _unfit(operation.id, before)
        await connection.execute(
            "UPDATE operation SET state = $2, changed_at = $3 WHERE id = $1",
            operation.id,
            state,
            now,
        )
        operation.state, operation.changed_at = state, now
        await note(connection, operation, f"operation.{state}", person, before=before)


def _unfit(name: str, state: str) -> HubError:
    waits = state == ASKED
    return HubError(
        f"The operation {name[:8]} is {state}.",
        hint="A second person has to approve it first." if waits else "",
        message_zh=f"操作 {name[:8]} 的状态是 {state}{';须先由另一人批准' if waits else ''}。",
    )


@asynccontextmanager
async def alone(connection: asyncpg.Connection, operation: str) -> AsyncIterator[None]:
    """Run an operation in one process at a time.

    Raises:
        HubError: another process runs it.
    """
    key = f"operation:{operation}"
    mine = await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", key)
    if not mine:
        raise HubError(
            f"The operation {operation[:8]} is run by another process.",
            message_zh=f"操作 {operation[:8]} 正由另一进程执行。",
        )
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", key)


async def next_item(connection: asyncpg.Connection, operation: str) -> Item | None:
    """The next item of a running operation; None: it is paused, stopped, or at its end."""
    row = await connection.fetchrow(
        "SELECT i.n, i.ref, i.state, i.edited, i.result, i.replay FROM operation_item i"
        " JOIN operation o ON o.id = i.operation AND o.state = 'running'"
        " WHERE i.operation = $1 AND i.state = 'waiting' ORDER BY i.n LIMIT 1",
        operation,
    )
    return Item(*row) if row else None


async def begin(connection: asyncpg.Connection, operation: str, item: Item, *, now: int) -> int:
    """Count a redrive before its record is sent; one that was cut off is not counted again.

    Returns:
        Which redrive of the dead letter it is, from 1.
    """
    if item.replay is not None:
        return item.replay
    async with connection.transaction():
        count: int = await connection.fetchval(
            "UPDATE dead_letter SET replays = replays + 1, replayed_at = $2 WHERE id = $1"
            " RETURNING replays",
            item.ref,
            now,
        )
        await connection.execute(
            "UPDATE operation_item SET replay = $3 WHERE operation = $1 AND n = $2",
            operation,
            item.n,
            count,
        )
    return count


async def end_item(
    connection: asyncpg.Connection, operation: str, item: Item, state: str, result: str, *, now: int
) -> None:
    """An item was sent, or left out; its changed value is not needed any more."""
    await connection.execute(
        "UPDATE operation_item SET state = $3, result = $4, done_at = $5, edited = NULL"
        " WHERE operation = $1 AND n = $2",
        operation,
        item.n,
        state,
        result,
        now,
    )


async def finish(connection: asyncpg.Connection, operation: Operation, *, now: int) -> bool:
    """End a running operation that has nothing left; False: it has, or is not running."""
    async with connection.transaction():
        ended = await connection.fetchval(
            "UPDATE operation SET state = 'done', changed_at = $2 WHERE id = $1"
            " AND state = 'running' AND NOT EXISTS (SELECT FROM operation_item i"
            " WHERE i.operation = $1 AND i.state = 'waiting') RETURNING 1",
            operation.id,
            now,
        )
        if ended:
            operation.state, operation.changed_at = DONE, now
            await note(connection, operation, "operation.done", "hub")
    return bool(ended)
