"""Dispositions: the department that sent a list is answered, all rows first, then row by row."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contracts.events import CanonicalEvent
from hub.model.contexts import Context
from hub.model.decisions import Deliver, Reason
from hub.model.records import ListRow
from hub.model.states import State
from hub.sdk.profiles import ListRule

OPENED, COVERED, CONFLICT = "case_opened", "already_covered", "alive_conflict"
REJECTED, GRANTED, REFUSED = "record_rejected", "granted", "refused"


def answer(
    state: State, event: CanonicalEvent, ctx: Context, rule: ListRule, changed: ListRow
) -> tuple[list[ListRow], list[Deliver]]:
    """Rows to write and the answer, if one is due, after one row changed.

    The first answer goes out when every row of the list is settled; from then on each changed
    row is an update of its own.
    """
    recipient = rule.answers.get(changed.source)
    if recipient is None:
        return [changed], []
    rows = dict(state.lists[changed.source, changed.list_ref])
    before = rows.get(changed.row_no)
    if before is not None and _same(before, changed):
        return [], []
    answered = any(row.answered for row in rows.values())
    rows[changed.row_no] = changed
    if not answered:
        if len(rows) < changed.rows_total:
            return [changed], []
        told = [msgspec.structs.replace(rows[number], answered=True) for number in sorted(rows)]
        return told, [_copy(event, ctx, rule, recipient, told, "list.answered")]
    told = [msgspec.structs.replace(changed, answered=True)]
    return told, [_copy(event, ctx, rule, recipient, told, "list.updated")]


def _same(one: ListRow, other: ListRow) -> bool:
    return (one.disposition, one.detail, one.case_id, one.event_id) == (
        other.disposition,
        other.detail,
        other.case_id,
        other.event_id,
    )


def _copy(
    event: CanonicalEvent,
    ctx: Context,
    rule: ListRule,
    recipient: str,
    rows: list[ListRow],
    key: str,
) -> Deliver:
    first = rows[0]
    return Deliver(
        program=recipient,
        type="poverty.disposition_returned",
        cause=event.event_id,
        reason=Reason(rule.id, key, ctx.profile.version, (event.event_id,), {"rows": len(rows)}),
        correlation=f"{first.source}:{first.list_ref}",
        occurred_at=event.occurred_at,
        jurisdiction=event.jurisdiction or ctx.profile.division,
        ordinal=f"{first.list_ref}:{first.row_no}",
        body={
            "disposition": {
                "list_ref": first.list_ref,
                "rows_total": first.rows_total,
                "rows": [_row(row) for row in rows],
            }
        },
    )


def _row(row: ListRow) -> dict[str, Any]:
    granted = row.disposition == GRANTED
    return {
        "row_no": row.row_no,
        "outcome": row.disposition,
        "category": row.detail if granted else None,
        "reason": None if granted else row.detail,
        "case_ref": row.case_id,
    }
