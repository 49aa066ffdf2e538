"""Adverse effects: nothing is ended, suspended or lowered without a named person's decision (I1).

A fact that names a decision not yet on record is parked where everybody can see it, and decided
when the decision comes. After the profile's deadline it becomes ``audit.violation``.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec

from hub.contracts.events import CanonicalEvent
from hub.model.contexts import Context
from hub.model.decisions import DeadLetter, Decision, Deliver, Reason, Schedule
from hub.model.keys import decision_of
from hub.model.records import Decided
from hub.model.states import Keys, State
from hub.sdk.profiles import EffectRule

RECORDED, AWAITED, OVERDUE = "recorded", "awaited", "overdue"
CODE = "E-EFFECT-WITHOUT-DECISION"


def judge(state: State, event: CanonicalEvent, ctx: Context) -> Decision | None:
    """What happens instead of an adverse effect that may not happen now; None: go on.

    Raises:
        Need: the decision is not loaded.
    """
    if not is_adverse(event, ctx):
        return None
    rule = rule_of(event, ctx)
    if rule is None:
        return None
    decision_id = decision_of(event)
    if not decision_id:
        return _refused(event, ctx, rule, "effect.no_decision")
    state.require(Keys(decisions=frozenset((decision_id,))))
    decided = state.decisions.get(decision_id)
    if decided is None or decided.state != RECORDED:
        return _parked(decided, event, ctx, rule, decision_id)
    if not decided.person or decided.power not in rule.powers:
        return _refused(event, ctx, rule, "effect.no_power")
    return None


def is_adverse(event: CanonicalEvent, ctx: Context) -> bool:
    """Whether the fact ends, suspends or lowers aid."""
    if event.type in ctx.profile.effect_types:
        return event.lifecycle != "annulled"
    if event.type == "category.granted":
        return event.lifecycle in {"annulled", "ceased"}
    return event.type == "category.changed" and _lower(event)


def rule_of(event: CanonicalEvent, ctx: Context) -> EffectRule | None:
    """The profile's rule on effects in force on the fact's day."""
    rules = ctx.profile.on(event.effective_from).effects
    return rules[0] if rules else None


def _lower(event: CanonicalEvent) -> bool:
    change = event.groups.get("change") or {}
    if change.get("item") != "amount":
        return False
    try:
        return Decimal(change.get("after") or "") < Decimal(change.get("before") or "")
    except InvalidOperation:
        # Amounts that cannot be compared may be lower ones: then a human answers for them.
        return True


def violation(
    event: CanonicalEvent, ctx: Context, rule: EffectRule, key: str, cause: str
) -> Deliver:
    """The notice to the supervising office; the message stays where it was."""
    return Deliver(
        program=rule.notify,
        type="audit.violation",
        cause=cause,
        reason=reason_of(event, ctx, rule, key),
        uid=event.uid,
        household=event.household,
        correlation=event.correlation_id,
        occurred_at=event.occurred_at,
        jurisdiction=event.jurisdiction,
        ordinal=key,
        body={"notice": {"rule": rule.id, "message_ref": cause, "detail": key}},
    )


def reason_of(event: CanonicalEvent, ctx: Context, rule: EffectRule, key: str) -> Reason:
    """Why a fact was held back."""
    return Reason(rule.id, key, ctx.profile.version, (event.event_id,), {"type": event.type})


def _refused(event: CanonicalEvent, ctx: Context, rule: EffectRule, key: str) -> Decision:
    return Decision(
        effects=(
            violation(event, ctx, rule, key, event.event_id),
            DeadLetter(CODE, "decision_id", key),
        ),
        because=(reason_of(event, ctx, rule, key),),
    )


def _parked(
    decided: Decided | None,
    event: CanonicalEvent,
    ctx: Context,
    rule: EffectRule,
    decision_id: str,
) -> Decision:
    waiting = list(decided.parked) if decided else []
    because = (reason_of(event, ctx, rule, "effect.awaited"),)
    if any(parked["event_id"] == event.event_id for parked in waiting):
        return Decision(because=because)
    waiting.append(msgspec.to_builtins(event))
    parked = Decided(
        id=decision_id,
        state=decided.state if decided else AWAITED,
        uid=event.uid,
        household=event.household,
        event_id=event.event_id,
        parked=waiting,
        at=decided.at if decided else ctx.now_ms,
    )
    if decided is not None:
        return Decision((parked,), (), because)
    timer = Schedule(
        timer_key(decision_id),
        ctx.now_ms + rule.await_hours * 3_600_000,
        "decision_overdue",
        {"decision_id": decision_id},
    )
    return Decision((parked,), (timer,), because)


def timer_key(decision_id: str) -> str:
    """Key of the timer that watches for a decision."""
    return f"decision:{decision_id}"
