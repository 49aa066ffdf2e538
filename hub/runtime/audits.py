"""Audits: what became of an event's effects, and the row that puts it on record."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contracts.events import CanonicalEvent
from hub.kernel.errors import DataError
from hub.model.decisions import Decision, Deny, Effect
from hub.model.outbox import OutboxRow
from hub.store.audit import AuditRow

_KEPT = 4096
_encode = msgspec.json.Encoder().encode


class Left:
    """What one event leaves besides changed records.

    Attributes:
        rows: Copies and hub facts, ready for the outbox.
        denied: Copies that may not leave.
        others: Timers and dead letters to settle.
        failure: Why the event is a dead letter.
    """

    __slots__ = ("denied", "failure", "others", "rows")

    def __init__(self) -> None:
        self.rows: list[OutboxRow] = []
        self.denied: list[Deny] = []
        self.others: list[Effect] = []
        self.failure: DataError | None = None


def audit_row(kind: str, event: CanonicalEvent, decision: Decision, left: Left) -> AuditRow:
    """The audit row of one event; never holds a name or an ID number."""
    matter = event.correlation_id
    if decision.changes or decision.because or left.rows:
        doc = _document(decision, left)
    else:
        # Most events end so: nobody has a role, and the same programs are refused.
        doc = _only_denied(tuple(left.denied))
    return AuditRow(
        kind,
        "hub",
        event.event_id,
        event.type,
        event.uid,
        event.household,
        # A matter begins with the event it is named after: found by that, and not written twice.
        None if matter in {event.event_id, ""} else matter,
        doc,
    )


def _document(decision: Decision, left: Left) -> str:
    doc = {
        "because": [
            (reason.rule, reason.key, reason.version, reason.facts) for reason in decision.because
        ],
        "changed": [(record.TABLE, _name(record)) for record in decision.changes],
        "copies": [(row.subscription, row.copy_id, row.type) for row in left.rows],
        "denied": [(deny.program, deny.code, deny.type) for deny in left.denied],
    }
    return _encode(doc).decode()


_DENIED: dict[tuple[Deny, ...], str] = {}


def _only_denied(denied: tuple[Deny, ...]) -> str:
    text = _DENIED.get(denied)
    if text is None:
        if len(_DENIED) >= _KEPT:
            _DENIED.clear()
        nothing = Left()
        nothing.denied.extend(denied)
        text = _DENIED[denied] = _document(Decision(), nothing)
    return text


def _name(record: Any) -> str:
    key = getattr(record, record.KEY[0])
    return key.hex() if isinstance(key, bytes) else str(key)
