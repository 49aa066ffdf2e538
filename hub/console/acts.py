"""Acts: what people do in the console, put on record before its effect is shown.

Reading a person's data is an act too.
"""

from __future__ import annotations

from typing import Any

import asyncpg
import orjson

from hub.console.visitors import Visitor
from hub.store import audit
from hub.store.audit import AuditRow

Executor = asyncpg.Connection | asyncpg.Pool


async def note(
    connection: Executor,
    actor: str,
    action: str,
    *,
    now: int,
    reason: str = "",
    target: str = "",
    event_id: str | None = None,
    correlation: str | None = None,
    **details: Any,
) -> None:
    """Append one act.

    Args:
        connection: Pool or connection; give the transaction of the effect where there is one.
        actor: The account.
        action: Verb such as ``reveal`` or ``sign_in``.
        now: ms since 1970.
        reason: What the person gave as a reason.
        target: What it was done to: an id, never a name or an ID number.
        event_id: The event concerned.
        correlation: The matter concerned.
        details: Before and after, counts, field names.
    """
    doc = {"reason": reason, "target": target, **details}
    row = AuditRow(
        action, actor, event_id, None, None, None, correlation, orjson.dumps(doc).decode()
    )
    await audit.append(connection, row, now=now)


async def by(
    connection: Executor,
    visitor: Visitor,
    action: str,
    *,
    now: int,
    **details: Any,
) -> None:
    """Append an act of somebody signed in; see :func:`note`."""
    await note(connection, visitor.account.id, action, now=now, **details)
