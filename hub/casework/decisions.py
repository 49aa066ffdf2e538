"""Decisions of named people settle cases, let parked facts go on, become grants (RG-04, I1)."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.casework import cases, dispositions
from hub.contracts.events import CanonicalEvent
from hub.model.adverse import AWAITED, OVERDUE, RECORDED, rule_of, timer_key, violation
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Cancel, Decision, Emit, Reason, Resume
from hub.model.keys import decision_of
from hub.model.records import Case, Decided, ListRow
from hub.model.states import Keys, State
from hub.sdk.profiles import ListRule

RULE = "I1"


def recorded(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """``decision.recorded``: keep it, resume what waited for it, settle the case it decides.

    Raises:
        Need: the decision, the case's list or its people are not loaded.
    """
    decision_id = decision_of(event)
    if not decision_id:
        return Decision(because=(_reason(event, ctx, "decision.without_id"),))
    state.require(Keys(decisions=frozenset((decision_id,))))
    before = state.decisions.get(decision_id)
    if before is not None and before.state == RECORDED:
        return NOTHING
    group = event.groups.get("decision") or {}
    kept = Decided(
        id=decision_id,
        state=RECORDED,
        power=group.get("power"),
        person=group.get("person"),
        unit=group.get("unit"),
        kind=group.get("kind"),
        outcome=group.get("outcome"),
        event_id=event.event_id,
        uid=event.uid,
        household=event.household,
        at=ctx.now_ms,
    )
    effects: list[Any] = []
    if before is not None:
        effects.append(Cancel(timer_key(decision_id)))
        effects += [Resume(msgspec.convert(p, CanonicalEvent)) for p in before.parked]
    done = _case_decided(state, event, ctx, decision_id)
    reason = _reason(event, ctx, "decision.recorded")
    return Decision((kept, *done.changes), (*done.effects, *effects), (reason, *done.because))


def overdue(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """The deadline passed and the decision a fact rests on never came: ``audit.violation``.

    Raises:
        Need: the decision is not loaded.
    """
    decision_id = (event.groups.get("timer") or {}).get("decision_id")
    if not decision_id:
        return NOTHING
    state.require(Keys(decisions=frozenset((decision_id,))))
    waiting = state.decisions.get(decision_id)
    if waiting is None or waiting.state != AWAITED:
        return NOTHING
    late = msgspec.structs.replace(waiting, state=OVERDUE)
    copies = []
    for parked in waiting.parked:
        fact = msgspec.convert(parked, CanonicalEvent)
        rule = rule_of(fact, ctx)
        if rule is not None:
            copies.append(violation(fact, ctx, rule, "effect.overdue", fact.event_id))
    return Decision((late,), tuple(copies), (_reason(event, ctx, "effect.overdue"),))


def granted(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """A grant from elsewhere settles open cases of the people it covers.

    Raises:
        Need: a list or person is not loaded.
    """
    rule = next(iter(ctx.profile.on(event.effective_from).lists), None)
    category = (event.groups.get("category") or {}).get("category")
    if rule is None or not category or event.lifecycle in {"annulled", "ceased"}:
        return NOTHING
    whole = NOTHING
    for case in _cases(state, event, rule):
        if case.state == "open" or case.outcome in rule.grant_outcomes:
            decision = event.decision_id or case.decision_id
            whole += _settle(state, event, ctx, rule, case, category, decision)
    return whole


def _case_decided(state: State, event: CanonicalEvent, ctx: Context, decision_id: str) -> Decision:
    group = event.groups.get("decision") or {}
    rule = next(iter(ctx.profile.on(event.effective_from).lists), None)
    if rule is None or group.get("kind") != rule.case_kind:
        return NOTHING
    grants = group.get("outcome") in rule.grant_outcomes
    if not grants and group.get("outcome") not in rule.refuse_outcomes:
        return NOTHING
    category = (event.groups.get("category") or {}).get("category")
    whole = NOTHING
    for case in _cases(state, event, rule):
        if case.state == "open":
            granted_as = category or "" if grants else None
            whole += _settle(state, event, ctx, rule, case, granted_as, decision_id)
    if grants and category:
        whole += _grant(event, ctx, rule, decision_id)
    return whole


def _grant(event: CanonicalEvent, ctx: Context, rule: ListRule, decision_id: str) -> Decision:
    """The grant that follows; it comes back through ``event.category`` like any other."""
    category = dict(event.groups["category"])
    start = category.get("effective_from")
    if start is None:
        start = category["effective_from"] = event.effective_from
    if not category.get("scope"):
        category["scope"] = "household" if event.household else "single_person"
    kept = {n: g for n, g in event.groups.items() if n in {"household", "care", "change"}}
    reason = _reason(event, ctx, "grant.decided", rule.id)
    emit = Emit(
        type="category.granted",
        uid=event.uid,
        household=event.household,
        cause=event.event_id,
        reason=reason,
        effective_from=start,
        occurred_at=event.occurred_at,
        groups={**kept, "category": category},
        correlation=event.correlation_id or event.event_id,
        decision_id=decision_id,
        jurisdiction=event.jurisdiction or ctx.profile.division,
    )
    return Decision((), (emit,), (reason,))


def _cases(state: State, event: CanonicalEvent, rule: ListRule) -> list[Case]:
    """Cases of the people or the household an event is about, in order of id."""
    case_ref = (event.groups.get("decision") or {}).get("case_ref")
    uids = {event.uid} - {None}
    if event.household and event.household in state.households:
        uids |= set(state.households[event.household].uids)
    found = [
        case
        for case in state.cases.values()
        if case.kind == rule.case_kind and (case.id == case_ref or case.uid in uids)
    ]
    return sorted(found, key=lambda case: case.id)


def _settle(
    state: State,
    event: CanonicalEvent,
    ctx: Context,
    rule: ListRule,
    case: Case,
    category: str | None,
    decision_id: str | None,
) -> Decision:
    """Close a case and bring its list rows up to date; no category: aid was refused."""
    grants = category is not None
    changes: list[Any] = []
    effects: list[Any] = []
    if case.state == "open":
        outcome = (rule.grant_outcomes if grants else rule.refuse_outcomes)[0]
        closed = cases.closed_case(case, ctx, outcome, decision_id)
        changes.append(closed)
        effects.append(cases.told(closed, event, ctx, "case.closed", rule.id, {}))
    for row in _rows(state, case, rule):
        moved = msgspec.structs.replace(
            row,
            disposition=dispositions.GRANTED if grants else dispositions.REFUSED,
            detail=category,
        )
        rows, copies = dispositions.answer(state, event, ctx, rule, moved)
        changes += rows
        effects += copies
    return Decision(tuple(changes), tuple(effects))


def _rows(state: State, case: Case, rule: ListRule) -> list[ListRow]:
    """List rows of a case; the person's own facts tell in which lists they stand."""
    person = state.persons.get(case.uid) if case.uid is not None else None
    if person is None:
        return []
    wanted = {
        (fact.source, fact.data["list"]["list_ref"])
        for fact in person.facts
        if fact.type in rule.types and "list" in fact.data
    }
    state.require(Keys(lists=frozenset(wanted)))
    return [
        row for key in sorted(wanted) for row in state.lists[key].values() if row.case_id == case.id
    ]


def _reason(event: CanonicalEvent, ctx: Context, key: str, rule: str = RULE) -> Reason:
    return Reason(rule, key, ctx.profile.version, (event.event_id,), {"type": event.type})
