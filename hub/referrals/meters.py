"""Meters nobody knows: one match request for a household on roll without a meter (RG-03)."""

from __future__ import annotations

from bisect import insort

import msgspec

from hub.contracts.events import CanonicalEvent
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Decision, Deliver, Reason
from hub.model.households import View, order, person_groups, shared_groups, view_of
from hub.model.records import Fact
from hub.model.states import State

REQUESTED = "electricity.match_requested"


def decide(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """Ask once for the meter of a household on roll, and keep in mind that it was asked.

    Raises:
        Need: the household or a member is not loaded.
    """
    home = _household(state, event)
    if home is None:
        return NOTHING
    rule = next((rule for rule in ctx.profile.rights if rule.subject == "meter"), None)
    if rule is None:
        return NOTHING
    view = view_of(state, home, ctx.profile.roll)
    if not view.cover or view.cover[-1].end is not None or view.meters or _asked(view):
        return NOTHING
    head = view.head
    household = state.households[home]
    reason = Reason(rule.id, "meter.match", ctx.profile.version, (view.cover[-1].episode,))
    asked = Fact(
        f"{REQUESTED}:{home}",
        REQUESTED,
        0,
        ctx.now_ms,
        -1,
        "",
        "hub",
        "",
        None,
        "created",
        None,
        {},
    )
    facts = list(household.facts)
    insort(facts, asked, key=order)
    copy = Deliver(
        program=rule.program,
        type=REQUESTED,
        cause=event.event_id,
        reason=reason,
        uid=head.uid if head is not None else None,
        household=home,
        groups=shared_groups(view) | (person_groups(head) if head is not None else {}),
        correlation=event.correlation_id,
        occurred_at=event.occurred_at,
        jurisdiction=event.jurisdiction or ctx.profile.division,
        ordinal=home,
    )
    return Decision((msgspec.structs.replace(household, facts=facts),), (copy,), (reason,))


def _household(state: State, event: CanonicalEvent) -> str | None:
    if event.household in state.households:
        return event.household
    person = state.persons.get(event.uid) if event.uid is not None else None
    homes = person.households if person is not None else []
    return homes[0] if len(homes) == 1 else None


def _asked(view: View) -> bool:
    return any(fact.type == REQUESTED for fact in view.facts)
