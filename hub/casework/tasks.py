"""Tasks for humans that follow from facts: a job, a confirmed or decided death (RG-11, RG-16).

They are derived like rights are, so a task opens whichever fact came first; it closes only when a
human closes it.
"""

from __future__ import annotations

from hub.contracts.events import CanonicalEvent
from hub.kernel.event_ids import hub_event_id
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Decision, Deliver, Reason
from hub.model.folding import confirmed, death
from hub.model.households import Resident, View, dead_by_decision, person_groups, views
from hub.model.records import Fact, Task
from hub.model.states import State
from hub.sdk.profiles import TaskRule

DAY_MS = 86_400_000


def decide(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """Open what tasks the facts of the touched households call for.

    Raises:
        Need: a household or member is not loaded.
    """
    whole = NOTHING
    for view in views(state, event, ctx.profile.roll):
        for resident in view.residents:
            for rule, fact in _due(state, ctx, view, resident):
                opened = open_task(
                    state, event, ctx, rule, fact, resident.uid, view.household, resident
                )
                if opened is not NOTHING:
                    whole += opened
    return whole


def _due(state: State, ctx: Context, view: View, resident: Resident) -> list[tuple[TaskRule, Fact]]:
    causes = _CAUSES if resident.spells else _CAUSES_OFF_ROLL
    if not any(fact.type in causes for fact in resident.person.facts):
        return []
    return [
        (rule, fact)
        for rule in ctx.profile.rules.tasks
        for fact in _facts(state, view, resident, rule.fact)
        if rule.on(fact.effective)
    ]


_CAUSES_OFF_ROLL = frozenset({"person.died", "category.ended"})
_CAUSES = _CAUSES_OFF_ROLL | {"employment.started"}


def _facts(state: State, view: View, resident: Resident, kind: str) -> list[Fact]:
    facts = resident.person.facts
    if kind == "employment.started":
        return [
            fact
            for fact in facts
            if fact.type == kind
            and fact.void_by is None
            and any(spell.holds(fact.effective) for spell in resident.spells)
        ]
    if kind == "person.died":
        found = death(facts)
        known = bool(resident.spells) or bool(view.default) or _interested(state, resident.uid)
        return [found] if found is not None and confirmed(found) and known else []
    if kind == "category.ended":
        dead = dead_by_decision(resident.person)
        return [dead] if dead is not None else []
    return []


def _interested(state: State, uid: bytes) -> bool:
    return any(i.quality != "historical" for i in state.interests.get(uid, {}).values())


def task_id(rule: TaskRule, fact_id: str) -> str:
    """The id of the task that a fact opens under a rule."""
    return hub_event_id(fact_id, f"task:{rule.kind}:{rule.id}", 0)


def open_task(
    state: State,
    event: CanonicalEvent,
    ctx: Context,
    rule: TaskRule,
    fact: Fact,
    uid: bytes | None,
    household: str | None,
    resident: Resident | None,
) -> Decision:
    """Open a task once and tell the office."""
    task = Task(
        id=task_id(rule, fact.id),
        kind=rule.kind,
        uid=uid,
        household=household,
        state="open",
        opened_by=fact.id,
        correlation=fact.correlation,
        opened_at=ctx.now_ms,
        owner_level=rule.owner_level,
        due_at=ctx.now_ms + rule.due_days * DAY_MS if rule.due_days is not None else None,
    )
    if task.id in state.tasks:
        return NOTHING
    reason = Reason(
        rule.id, f"task.{rule.kind}", ctx.profile.version, (fact.id,), {"type": fact.type}
    )
    copy = Deliver(
        program=ctx.profile.office,
        type="task.opened",
        cause=event.event_id,
        reason=reason,
        uid=uid,
        household=household,
        groups=person_groups(resident) if resident is not None else {},
        correlation=task.correlation,
        due_at=task.due_at,
        occurred_at=event.occurred_at,
        jurisdiction=event.jurisdiction or ctx.profile.division,
        ordinal=task.id,
        body={"task": {"task_id": task.id, "kind": task.kind, "owner_level": task.owner_level}},
    )
    return Decision((task,), (copy,), (reason,))
