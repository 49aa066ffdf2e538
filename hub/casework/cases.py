"""Cases the hub opens for people to decide, and how they close."""

from __future__ import annotations

import msgspec

from hub.contracts.events import CanonicalEvent, Groups
from hub.kernel.event_ids import hub_event_id
from hub.model.contexts import Context
from hub.model.decisions import Deliver, Reason
from hub.model.records import Case
from hub.sdk.profiles import ListRule


def new_case(event: CanonicalEvent, ctx: Context, rule: ListRule, household: str | None) -> Case:
    """The case of a list row; one for a person and list, whatever row it came in."""
    person = event.uid.hex() if event.uid is not None else event.event_id
    row = event.groups.get("list") or {}
    return Case(
        id=hub_event_id(str(row.get("list_ref")), f"{rule.case_kind}:{person}", 0),
        kind=rule.case_kind,
        uid=event.uid,
        household=household,
        state="open",
        opened_by=event.event_id,
        correlation=event.correlation_id or event.event_id,
        opened_at=ctx.now_ms,
    )


def closed_case(case: Case, ctx: Context, outcome: str, decision_id: str | None) -> Case:
    """The case with the decision that settled it."""
    return msgspec.structs.replace(
        case, state="closed", closed_at=ctx.now_ms, outcome=outcome, decision_id=decision_id
    )


def told(
    case: Case, event: CanonicalEvent, ctx: Context, kind: str, rule: str, groups: Groups
) -> Deliver:
    """``case.opened`` or ``case.closed`` for the office."""
    return Deliver(
        program=ctx.profile.office,
        type=kind,
        cause=event.event_id,
        reason=Reason(rule, kind, ctx.profile.version, (event.event_id,), {"kind": case.kind}),
        uid=case.uid,
        household=case.household,
        groups=groups,
        correlation=case.correlation,
        decision_id=case.decision_id,
        occurred_at=event.occurred_at,
        jurisdiction=event.jurisdiction or ctx.profile.division,
        ordinal=case.id,
        body={"case": {"case_id": case.id, "kind": case.kind, "outcome": case.outcome}},
    )
