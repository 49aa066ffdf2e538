"""Backstop and relapse lists: each row becomes a case or a reason why not (RG-04)."""

from __future__ import annotations

from hub.casework import cases, dispositions
from hub.casework.tasks import open_task
from hub.contracts.events import CanonicalEvent
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Decision, Reason
from hub.model.facts import fact_of
from hub.model.folding import Spell, death
from hub.model.households import solo, view_of
from hub.model.keys import list_key
from hub.model.records import Case, ListRow
from hub.model.states import Keys, State
from hub.sdk.profiles import ListRule


def decide(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """Settle one row.

    Raises:
        Need: the list or the person's household is not loaded.
    """
    rule = rule_for(event, ctx)
    listed = list_key(event)
    if rule is None or listed is None or event.uid is None:
        return NOTHING
    if event.lifecycle == "annulled":
        return NOTHING
    state.require(Keys(lists=frozenset((listed,))))
    before = state.lists[listed].get(_number(event))
    if before is not None and before.event_id == event.event_id:
        return NOTHING
    disposition, detail, case, extra = _settled(state, event, ctx, rule)
    row = ListRow(
        listed[0],
        listed[1],
        _number(event),
        int((event.groups["list"]).get("rows_total") or 0),
        event.event_id,
        event.uid,
        event.type,
        disposition,
        detail,
        case_id=case,
    )
    rows, copies = dispositions.answer(state, event, ctx, rule, row)
    reason = Reason(
        rule.id, f"list.{disposition}", ctx.profile.version, (event.event_id,), {"type": event.type}
    )
    return Decision((*extra.changes, *rows), (*extra.effects, *copies), (reason, *extra.because))


def reject(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """A row of a list that intake could not use counts as settled, with its reason.

    Raises:
        Need: the list is not loaded.
    """
    listed = list_key(event)
    rule = next(iter(ctx.profile.on(event.effective_from).lists), None)
    if rule is None or listed is None or listed[0] not in rule.answers:
        return NOTHING
    state.require(Keys(lists=frozenset((listed,))))
    if state.lists[listed].get(_number(event)) is not None:
        return NOTHING
    failure = event.groups.get("failure") or {}
    row = ListRow(
        listed[0],
        listed[1],
        _number(event),
        int(event.groups["list"].get("rows_total") or 0),
        event.event_id,
        None,
        event.type,
        dispositions.REJECTED,
        failure.get("reason") or failure.get("code"),
    )
    rows, copies = dispositions.answer(state, event, ctx, rule, row)
    reason = Reason(rule.id, "list.record_rejected", ctx.profile.version, (event.event_id,), {})
    return Decision(tuple(rows), tuple(copies), (reason,))


def rule_for(event: CanonicalEvent, ctx: Context) -> ListRule | None:
    """The list rule of an event's type in force on its day."""
    rules = ctx.profile.on(event.effective_from).lists
    return next((rule for rule in rules if event.type in rule.types), None)


def _number(event: CanonicalEvent) -> int:
    return int(event.groups["list"].get("row_no") or 0)


def _settled(
    state: State, event: CanonicalEvent, ctx: Context, rule: ListRule
) -> tuple[str, str | None, str | None, Decision]:
    """Disposition, detail, case and what else happens for one row."""
    person = state.persons.get(event.uid) if event.uid is not None else None
    if person is not None and (died := death(person.facts)) is not None:
        tasks = [t for t in ctx.profile.rules.tasks if t.fact == "poverty.listed"]
        task = NOTHING
        if tasks:
            home = _home(state, event)
            task = open_task(state, event, ctx, tasks[0], fact_of(event), event.uid, home, None)
        return dispositions.CONFLICT, died.type, None, task
    spell = _spell(state, event, ctx)
    case = cases.new_case(event, ctx, rule, _home(state, event))
    known = state.cases.get(case.id) or _open_case(state, event, rule)
    if known is not None:
        if known.outcome in rule.grant_outcomes and spell is not None:
            return dispositions.GRANTED, spell.last.category, known.id, NOTHING
        return dispositions.OPENED, None, known.id, NOTHING
    if spell is not None and spell.holds(event.effective_from):
        return dispositions.COVERED, spell.last.category, None, NOTHING
    groups = dict(person.identity) if person is not None else {}
    groups.pop("at", None)
    if spell is not None:
        # The decision was quicker than the list: the case is on record, and settled.
        outcome = rule.grant_outcomes[0]
        case = cases.closed_case(case, ctx, outcome, spell.last.opener.decision)
        copies = tuple(
            cases.told(case, event, ctx, kind, rule.id, groups)
            for kind in ("case.opened", "case.closed")
        )
        return (
            dispositions.GRANTED,
            spell.last.category,
            case.id,
            Decision((case,), copies),
        )
    copy = cases.told(case, event, ctx, "case.opened", rule.id, groups)
    return dispositions.OPENED, None, case.id, Decision((case,), (copy,))


def _home(state: State, event: CanonicalEvent) -> str | None:
    if event.household:
        return event.household
    person = state.persons.get(event.uid) if event.uid is not None else None
    return person.households[0] if person is not None and len(person.households) == 1 else None


def _open_case(state: State, event: CanonicalEvent, rule: ListRule) -> Case | None:
    """A case that another list opened for the same person and nobody decided yet."""
    found = [
        case
        for case in state.cases.values()
        if case.uid == event.uid and case.kind == rule.case_kind and case.state == "open"
    ]
    return min(found, key=lambda case: case.id) if found else None


def _spell(state: State, event: CanonicalEvent, ctx: Context) -> Spell | None:
    """The spell of the row's day, or one that began later and is open."""
    person = state.persons.get(event.uid) if event.uid is not None else None
    if person is None:
        return None
    roll = ctx.profile.roll
    seen = (
        [view_of(state, home, roll) for home in person.households]
        if person.households
        else [solo(person, roll)]
    )
    found = [
        spell
        for view in seen
        for resident in view.residents
        if resident.uid == event.uid
        for spell in resident.spells
        if spell.end is None or spell.holds(event.effective_from)
    ]
    return found[0] if found else None
