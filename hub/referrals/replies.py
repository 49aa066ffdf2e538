"""Replies of programs: created → accepted → completed → closed, or created → rejected → closed.

A reply may come before another that it follows: the row keeps the furthest state.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hub.contracts.events import CanonicalEvent, Groups
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Decision, Deliver, Reason
from hub.model.households import household_group, person_groups, shared_groups, view_of
from hub.model.records import Interest, Referral
from hub.model.states import Keys, State

RULE = "RG-05"
_STATES = {
    "referral.accepted": "accepted",
    "referral.rejected": "rejected",
    "referral.completed": "completed",
}
_AFTER = {
    "created": frozenset({"accepted", "rejected", "completed"}),
    "accepted": frozenset({"completed", "rejected"}),
    "served": frozenset({"accepted", "completed"}),
}
STOPPED = frozenset({"stopped", "stop", "停止", "已停止"})


def decide(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """Follow a program's reply.

    Raises:
        Need: the referral or its people are not loaded.
    """
    reply = event.groups.get("reply") or {}
    wanted = reply.get("referral_id")
    if not wanted:
        return _refused(event, ctx, "reply.no_referral")
    row = state.referrals.get(wanted)
    if row is None:
        state.require(Keys(referrals=frozenset((wanted,))))
        return _refused(event, ctx, "reply.unknown_referral")
    if row.program != event.source:
        return _refused(event, ctx, "reply.other_program")
    note = reply.get("handler") or ""
    if event.type == "referral.stop_answered":
        return _stop_answered(state, event, ctx, row, str(reply.get("answer") or ""), note)
    return _moved(state, event, ctx, row, note)


def _refused(event: CanonicalEvent, ctx: Context, key: str) -> Decision:
    return Decision(because=(_reason(event, ctx, key),))


def _reason(event: CanonicalEvent, ctx: Context, key: str) -> Reason:
    return Reason(RULE, key, ctx.profile.version, (event.event_id,), {"program": event.source})


def _moved(state: State, event: CanonicalEvent, ctx: Context, row: Referral, note: str) -> Decision:
    target = _STATES[event.type]
    if any(step[3] == event.event_id for step in row.history if len(step) > 3):
        return NOTHING
    if target not in _AFTER.get(row.state, frozenset()):
        return _refused(event, ctx, "reply.out_of_order")
    actor = note or event.source
    history = [*row.history, [ctx.now_ms, target, actor, event.event_id]]
    changed = msgspec.structs.replace(row, state=target, history=history)
    reason = _reason(event, ctx, f"reply.{target}")
    if target == "accepted":
        return Decision(
            (changed, *_quality(state, row, "definitive", None)),
            (_details(state, event, ctx, row, reason),),
            (reason,),
        )
    changed = msgspec.structs.replace(
        changed,
        state="closed",
        closed_reason=target,
        history=[*history, [ctx.now_ms, "closed", "hub", event.event_id]],
    )
    if target == "rejected":
        ended = _quality(state, row, "historical", ctx.today)
        return Decision((changed, *ended), (), (reason,))
    return Decision((changed, *_quality(state, row, "definitive", None)), (), (reason,))


def _details(
    state: State, event: CanonicalEvent, ctx: Context, row: Referral, reason: Reason
) -> Deliver:
    """What is granted after acceptance only; the copy carries it if the grant says so."""
    return Deliver(
        program=row.program,
        type="referral.details_released",
        cause=event.event_id,
        reason=reason,
        uid=row.uid,
        household=row.household,
        groups=_known(state, row, ctx),
        correlation=row.correlation,
        referral_id=row.id,
        occurred_at=event.occurred_at,
        jurisdiction=event.jurisdiction or ctx.profile.division,
        ordinal=row.id,
    )


def _known(state: State, row: Referral, ctx: Context) -> Groups:
    """Identity of the subject, or of the head where the household is the subject."""
    if row.household is not None:
        view = view_of(state, row.household, ctx.profile.roll)
        resident = next((r for r in view.residents if r.uid == row.uid), view.head)
        groups = shared_groups(view) | (person_groups(resident) if resident is not None else {})
        groups["household"] = household_group(view)
        for house in view.houses:
            if house.ref == row.subject_ref:
                groups["house"] = dict(house.facts[-1].data["house"])
        return groups
    person = state.persons.get(row.uid) if row.uid is not None else None
    return (
        {name: group for name, group in person.identity.items() if name != "at"} if person else {}
    )


def _quality(state: State, row: Referral, quality: str, until: int | None) -> tuple[Interest, ...]:
    found = []
    uids = [row.uid] if row.uid is not None else list(state.interests)
    for uid in uids:
        for interest in state.interests.get(uid, {}).values():
            if interest.referral == row.id and interest.quality not in {quality, "historical"}:
                ended = max(until, interest.valid_from) if until is not None else None
                found.append(msgspec.structs.replace(interest, quality=quality, valid_to=ended))
    return tuple(found)


def _stop_answered(
    state: State, event: CanonicalEvent, ctx: Context, row: Referral, answer: str, note: str
) -> Decision:
    if row.stop_state not in {"notified", "review"}:
        return _refused(event, ctx, "reply.nothing_asked")
    actor = note or event.source
    stopped = answer in STOPPED
    changed = msgspec.structs.replace(
        row,
        stop_state="answered",
        history=[
            *row.history,
            [
                ctx.now_ms,
                "stop_answered:" + ("stopped" if stopped else "continues"),
                actor,
                event.event_id,
            ],
        ],
    )
    ended: tuple[Interest, ...] = ()
    if stopped:
        ended = _quality(state, row, "historical", row.spell_to or ctx.today)
        changed = msgspec.structs.replace(
            changed, state="closed", closed_reason=row.closed_reason or "stopped"
        )
    reason = _reason(event, ctx, "reply.stopped" if stopped else "reply.continues")
    return Decision((changed, *ended), (), (reason,))


def matter_is_open(states: Iterable[str]) -> bool:
    """Whether a matter is open: it closes when every referral of its correlation has closed."""
    return any(state != "closed" for state in states)
