"""The ledger of referrals against the rights: what is missing, ended or no longer fits (P2, P5).

A row keeps its id for ever. It belongs to the right with its episode, or to the one whose spell
overlaps its own: a late, earlier grant re-keys the row and opens no second referral.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from hub.contracts.events import CanonicalEvent
from hub.kernel.event_ids import hub_event_id
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Decision, Deliver, Reason
from hub.model.households import View, category_group, dead_by_decision, views
from hub.model.records import Fact, Interest, Referral
from hub.model.states import State
from hub.referrals.rights import Key, Right, copy_groups, desired

OPEN = frozenset({"created", "accepted", "served", "completed"})
"""States of rows that can still matter to the program."""
REVIEW = "review"
"""``stop_state`` of a row whose program was asked to look at it again; nobody decided an end."""
HISTORICAL = "historical"
DECEASED_REASON = "deceased"
DAY_MS = 86_400_000


def referral_id(key: Key, ordinal: int = 0) -> str:
    """The id of a referral: the same for the same program, subject and episode.

    Args:
        key: What makes the referral one.
        ordinal: Above 0 where a row that was re-keyed since holds the id.
    """
    program, kind, ref, episode = key
    return hub_event_id(episode, f"{program}:{kind}:{ref}", ordinal)


def _free_id(state: State, key: Key) -> str:
    """The first id that no re-keyed row of another episode holds."""
    ordinal = 0
    while (found := referral_id(key, ordinal)) in state.referrals:
        ordinal += 1
    return found


class Step(NamedTuple):
    """What one reconciliation goes on."""

    state: State
    event: CanonicalEvent
    ctx: Context
    view: View


def decide(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """Bring the ledger in line with the facts of every household this event touches.

    Raises:
        Need: a household or member is not loaded.
    """
    found = [
        reconcile(Step(state, event, ctx, view))
        for view in views(state, event, ctx.profile.roll)
        if _may_have_rights(state, view)
    ]
    found = [decision for decision in found if decision is not NOTHING]
    if not found:
        return NOTHING
    whole = found[0]
    for decision in found[1:]:
        whole += decision
    return whole


def _may_have_rights(state: State, view: View) -> bool:
    """Most people never were on roll, lost no job and have no rows: nothing to compare."""
    if view.cover or view.household is not None:
        return True
    return any(r.jobless or r.uid in state.by_person for r in view.residents)


def reconcile(step: Step) -> Decision:
    """Diff the rights of one household against its ledger rows."""
    rights = desired(step.view, step.ctx.profile)
    rows = _rows(step)
    if not rights and not rows:
        return NOTHING
    changes: list[object] = []
    effects: list[Deliver] = []
    because: list[Reason] = []
    matched, used = _match(rights, rows)
    for key, right in rights.items():
        row = matched.get(key)
        done = _create(step, key, right) if row is None else _follow(step, row, right)
        if done is not None:
            changes += done.changes
            effects += done.effects  # type: ignore[arg-type]
            because += done.because
    for row in rows:
        if row.id not in used:
            done = _left_over(step, row, rights)
            if done is not None:
                changes += done.changes
                effects += done.effects  # type: ignore[arg-type]
                because += done.because
    if not changes and not effects:
        return NOTHING
    return Decision(tuple(changes), tuple(effects), tuple(because))


def _rows(step: Step) -> list[Referral]:
    """Ledger rows of the view's household or lone person, oldest spell first."""
    state, home = step.state, step.view.household
    ids: set[str] = set()
    if home is not None:
        ids.update(state.by_household.get(home, ()))
    for resident in step.view.residents:
        ids.update(state.by_person.get(resident.uid, ()))
    if not ids:
        return []
    people = {resident.uid for resident in step.view.residents}
    rows = [state.referrals[i] for i in ids]
    rows = [r for r in rows if r.household == home or (r.household is None and r.uid in people)]
    rows.sort(key=lambda row: (row.spell_from, row.id))
    return rows


def _match(rights: dict[Key, Right], rows: list[Referral]) -> tuple[dict[Key, Referral], set[str]]:
    found: dict[Key, Referral] = {}
    used: set[str] = set()
    for row in rows:
        key = row.program, row.subject_kind, row.subject_ref, row.episode
        if key in rights and key not in found:
            found[key] = row
            used.add(row.id)
    if len(used) == len(rows):
        return found, used
    for key, right in rights.items():
        if key in found:
            continue
        for row in rows:
            same = (row.program, row.subject_kind, row.subject_ref) == key[:3]
            if same and row.id not in used and _overlap(row, right):
                found[key] = row
                used.add(row.id)
                break
    return found, used


def _overlap(row: Referral, right: Right) -> bool:
    return (row.spell_to is None or right.start <= row.spell_to) and (
        right.end is None or row.spell_from <= right.end
    )


def _create(step: Step, key: Key, right: Right) -> Decision | None:
    if right.resident is not None and _dead_before(right):
        return None
    ctx, event, rule = step.ctx, step.event, right.rule
    due = ctx.now_ms + rule.due_days * DAY_MS if rule.due_days is not None else None
    row = Referral(
        id=_free_id(step.state, key),
        program=rule.program,
        subject_kind=right.kind,
        subject_ref=right.ref,
        episode=right.episode,
        uid=right.uid,
        household=step.view.household,
        state="created",
        correlation=right.correlation,
        rule=rule.id,
        opened_at=ctx.now_ms,
        due_at=due,
        spell_from=right.start,
        spell_to=right.end,
        history=[[ctx.now_ms, "created", "hub", event.event_id]],
    )
    reason = reason_of(step, right, "referral.created")
    created = Decision(
        (row, *_interests(step, row, right)),
        (deliver(step, row, right, "referral.created", reason),),
        (reason,),
    )
    if right.decision is None:
        return created
    stop = _stop(step, row, right)
    return Decision(
        (*created.changes, *stop.changes),
        (*created.effects, *stop.effects),
        (*created.because, *stop.because),
    )


def _dead_before(right: Right) -> bool:
    dead = dead_by_decision(right.resident.person) if right.resident is not None else None
    return dead is not None and dead.effective <= right.start


def _interests(step: Step, row: Referral, right: Right) -> tuple[Interest, ...]:
    """The program's role for the person, or for everybody in the household."""
    if right.uid is not None:
        uids = [right.uid]
    else:
        uids = [r.uid for r in step.view.residents if r.spells]
    return tuple(
        Interest(
            uid=uid,
            program=row.program,
            valid_from=right.start,
            household=row.household,
            quality="provisional",
            referral=row.id,
        )
        for uid in uids
        if (row.program, right.start) not in step.state.interests.get(uid, {})
    )


def _follow(step: Step, row: Referral, right: Right) -> Decision | None:
    """Keep a row in step with its right."""
    extra: tuple[Interest, ...] = ()
    known = row
    if (row.episode, row.spell_from, row.spell_to) != (right.episode, right.start, right.end):
        if right.start < row.spell_from:
            extra = _interests(step, row, right)
        row = msgspec.structs.replace(
            row, episode=right.episode, spell_from=right.start, spell_to=right.end
        )
    if row.stop_state == REVIEW and right.lost is None and right.decision is None:
        row = msgspec.structs.replace(row, stop_state=None)
    done = _turn(step, row, right)
    if done is None:
        return Decision((row, *extra)) if row is not known else None
    return Decision((*done.changes, *extra), done.effects, done.because)


def _turn(step: Step, row: Referral, right: Right) -> Decision | None:
    """What a program must learn about a row, if anything."""
    if _death_within(right) is not None:
        return _close_deceased(step, row, right) if row.state in OPEN else None
    if row.closed_reason == DECEASED_REASON:
        return _reopen(step, row, right)
    if right.decision is not None:
        return _ended(step, row, right)
    if row.stop_decision is not None and right.end is None:
        return _stop_withdrawn(step, row, right)
    if right.lost is not None and row.stop_state is None and row.state in OPEN:
        return _review(step, row, right, right.lost.id)
    return None


def _ended(step: Step, row: Referral, right: Right) -> Decision | None:
    """A decided end: told once; told again only where another decision turns out to be the one."""
    if row.stop_decision == right.decision:
        return None
    if row.stop_decision is None:
        return _stop(step, row, right) if has_interest(step.state, row, step.view) else None
    if row.stop_state == "notified":
        return _stop(step, row, right, lifecycle="corrected")
    return Decision((msgspec.structs.replace(row, stop_decision=right.decision),))


def _death_within(right: Right) -> Fact | None:
    """The decision on the person's death, where it ended this spell."""
    if right.resident is None or right.end is None:
        return None
    dead = dead_by_decision(right.resident.person)
    return dead if dead is not None and dead.effective <= right.end else None


def _close_deceased(step: Step, row: Referral, right: Right) -> Decision:
    reason = reason_of(step, right, "referral.deceased")
    closed = msgspec.structs.replace(
        row,
        state="closed",
        closed_reason=DECEASED_REASON,
        history=[*row.history, [step.ctx.now_ms, "closed", "hub", step.event.event_id]],
    )
    copy = deliver(step, closed, right, "referral.closed", reason, decision=right.decision)
    return Decision((closed,), (copy,), (reason,))


def _reopen(step: Step, row: Referral, right: Right) -> Decision:
    """The death was retracted: the row is again in the state it had."""
    before = next((s[1] for s in reversed(row.history) if s[1] in OPEN), "served")
    reason = reason_of(step, right, "referral.reopened")
    opened = msgspec.structs.replace(
        row,
        state=before,
        closed_reason=None,
        history=[*row.history, [step.ctx.now_ms, before, "hub", step.event.event_id]],
    )
    copy = deliver(step, opened, right, "referral.closed", reason, lifecycle="annulled")
    return Decision((opened,), (copy,), (reason,))


def has_interest(state: State, row: Referral, view: View) -> bool:
    """Whether the program still has a role for the subject of a row."""
    if row.state not in OPEN and row.closed_reason != "completed":
        return False
    uids = [row.uid] if row.uid is not None else [r.uid for r in view.residents]
    return any(
        interest.program == row.program and interest.quality != HISTORICAL
        for uid in uids
        for interest in state.interests.get(uid, {}).values()
    )


def _stop(step: Step, row: Referral, right: Right, *, lifecycle: str = "created") -> Decision:
    reason = reason_of(step, right, "referral.stop")
    stopped = msgspec.structs.replace(
        row,
        stop_decision=right.decision,
        stop_state="notified",
        history=[*row.history, [step.ctx.now_ms, "stop_notified", "hub", step.event.event_id]],
    )
    copy = deliver(
        step,
        stopped,
        right,
        "referral.stop_notified",
        reason,
        decision=right.decision,
        lifecycle=lifecycle,
    )
    return Decision((stopped,), (copy,), (reason,))


def _stop_withdrawn(step: Step, row: Referral, right: Right) -> Decision:
    """The end was annulled: who was told to stop learns the opposite."""
    reason = reason_of(step, right, "referral.stop_withdrawn")
    copy = deliver(
        step,
        row,
        right,
        "referral.stop_notified",
        reason,
        decision=row.stop_decision,
        lifecycle="annulled",
    )
    reopened = msgspec.structs.replace(
        row,
        stop_decision=None,
        stop_state=None,
        history=[*row.history, [step.ctx.now_ms, "stop_withdrawn", "hub", step.event.event_id]],
    )
    return Decision((reopened,), (copy,), (reason,))


def _review(step: Step, row: Referral, right: Right, fact: str) -> Decision:
    reason = reason_of(step, right, "referral.review", fact)
    asked = _asked(step, row)
    copy = deliver(step, asked, right, "referral.review_requested", reason)
    return Decision((asked,), (copy,), (reason,))


def _asked(step: Step, row: Referral) -> Referral:
    return msgspec.structs.replace(
        row,
        stop_state=REVIEW,
        history=[*row.history, [step.ctx.now_ms, "review_requested", "hub", step.event.event_id]],
    )


def _left_over(step: Step, row: Referral, rights: dict[Key, Right]) -> Decision | None:
    """A row without a right of its own: its spell became part of another, or its ground is gone."""
    for key, right in rights.items():
        same = (row.program, row.subject_kind, row.subject_ref) == key[:3]
        if same and row.episode != right.episode and _overlap(row, right):
            return _superseded(step, row, right) if row.state in OPEN else None
    return _groundless(step, row)


def _superseded(step: Step, row: Referral, right: Right) -> Decision:
    """Two spells turned out to be one: the other row goes on."""
    reason = reason_of(step, right, "referral.superseded")
    closed = msgspec.structs.replace(
        row,
        state="closed",
        closed_reason="superseded",
        history=[*row.history, [step.ctx.now_ms, "closed", "hub", step.event.event_id]],
    )
    copy = deliver(step, closed, right, "referral.closed", reason)
    return Decision((closed,), (copy,), (reason,))


def _groundless(step: Step, row: Referral) -> Decision | None:
    """A row whose ground is gone, e.g. its grant was annulled: the program looks at it again."""
    if row.state not in OPEN or row.stop_state is not None:
        return None
    event, ctx = step.event, step.ctx
    reason = Reason(row.rule, "referral.groundless", ctx.profile.version, (event.event_id,))
    asked = _asked(step, row)
    resident = next((r for r in step.view.residents if r.uid == row.uid), step.view.head)
    groups = {}
    if resident is not None:
        groups = {n: g for n, g in resident.person.identity.items() if n != "at"}
        if resident.spells:
            groups["category"] = category_group(resident.spells[-1])
    if row.subject_kind == "meter":
        groups["meter"] = {"meter_account": row.subject_ref}
    copy = Deliver(
        program=row.program,
        type="referral.review_requested",
        cause=event.event_id,
        reason=reason,
        uid=row.uid,
        household=row.household,
        groups=groups,
        correlation=row.correlation,
        referral_id=row.id,
        decision_id=event.decision_id,
        occurred_at=event.occurred_at,
        jurisdiction=event.jurisdiction or ctx.profile.division,
        ordinal=row.id,
    )
    return Decision((asked,), (copy,), (reason,))


def reason_of(step: Step, right: Right, key: str, fact: str | None = None) -> Reason:
    """Why a right was opened, ended or put up for review."""
    facts = [right.opener.id]
    if fact is not None:
        facts.append(fact)
    elif right.spell is not None and right.spell.closer is not None:
        facts.append(right.spell.closer.id)
    if right.house is not None:
        facts.append(right.house.facts[-1].id)
    category = right.spell.last.category if right.spell is not None else ""
    return Reason(
        right.rule.id,
        key,
        step.ctx.profile.version,
        tuple(facts),
        {
            "program": right.rule.program,
            "subject": right.kind,
            "category": category,
            "from": right.start,
            "to": right.end,
        },
    )


def deliver(
    step: Step,
    row: Referral,
    right: Right,
    kind: str,
    reason: Reason,
    *,
    decision: str | None = None,
    lifecycle: str = "created",
) -> Deliver:
    """The copy that tells a program about a row."""
    event = step.event
    return Deliver(
        program=row.program,
        type=kind,
        cause=event.event_id,
        reason=reason,
        uid=row.uid,
        household=row.household,
        groups=copy_groups(right, step.view),
        correlation=row.correlation,
        lifecycle=lifecycle,
        referral_id=row.id,
        decision_id=decision,
        due_at=row.due_at if kind == "referral.created" else None,
        occurred_at=event.occurred_at,
        jurisdiction=event.jurisdiction or step.ctx.profile.division,
        ordinal=row.id,
    )
