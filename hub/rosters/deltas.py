"""Deltas: a recipient is told at once, and only when one of its granted fields changed (RG-03)."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contracts.events import CanonicalEvent, Groups
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Decision, Deliver, Reason
from hub.model.households import View, category_group, views
from hub.model.records import RosterRow
from hub.model.states import State
from hub.rosters.rows import Known, Row, known_people, rows_of
from hub.sdk.profiles import RosterRule
from hub.sdk.rosters import row_digest

TYPE = "roster.delta"


def decide(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """Bring every recipient's rows in line with the facts of the households touched.

    Raises:
        Need: a household or member is not loaded.
    """
    if not ctx.profile.rosters:
        return NOTHING
    found: list[tuple[Any, Deliver, Reason]] = []
    for view in views(state, event, ctx.profile.roll):
        if not view.cover and view.household is None and not _is_listed(state, view):
            continue
        had = _had(state, view)
        if not view.cover and not any(had.values()):
            continue
        people = known_people(view)
        for rule in ctx.profile.rosters:
            found += _diff(event, ctx, rule, view, people, had.get(rule.recipient, {}))
    if not found:
        return NOTHING
    changes, effects, because = zip(*found, strict=True)
    return Decision(changes, effects, because)


def _is_listed(state: State, view: View) -> bool:
    """Whether somebody without a household stands in any roster; hardly anybody does."""
    return any(r.ref in rows for r in view.residents for rows in state.rosters.values())


def _had(state: State, view: View) -> dict[str, dict[str, RosterRow]]:
    """Rows that recipients have about this household, by recipient.

    Looked up by key: a recipient's whole roster may be loaded, and is far larger.
    """
    keys = {resident.ref for resident in view.residents}
    household = state.households.get(view.household) if view.household is not None else None
    if household is not None:
        keys.update(uid.hex() for uid in household.uids)
    keys.update(view.meters)
    for fact in view.facts:
        if account := (fact.data.get("meter") or {}).get("meter_account"):
            keys.add(account)
    found: dict[str, dict[str, RosterRow]] = {}
    for recipient, rows in state.rosters.items():
        for key in keys:
            row = rows.get(key)
            if row is not None and row.household == view.household:
                found.setdefault(recipient, {})[key] = row
    return found


def _diff(
    event: CanonicalEvent,
    ctx: Context,
    rule: RosterRule,
    view: View,
    people: list[Known],
    had: dict[str, RosterRow],
) -> list[tuple[RosterRow, Deliver, Reason]]:
    found = []
    wanted = rows_of(rule, view, people)
    for key, row in wanted.items():
        old = had.get(key)
        if old is not None and old.present and old.fields == row.fields:
            continue
        digest = row_digest(row.fields)
        op = "changed" if old is not None and old.present else "added"
        record = RosterRow(
            rule.recipient, key, row.uid, view.household, row.fields, present=True, digest=digest
        )
        found.append(_told(event, ctx, rule, record, op, row.groups, _decision(row)))
    for key, old in had.items():
        if key not in wanted and old.present:
            gone = msgspec.structs.replace(old, present=False)
            groups, decision = _last(view, old)
            found.append(_told(event, ctx, rule, gone, "removed", groups, decision))
    return found


def _decision(row: Row) -> str | None:
    return row.spell.last.opener.decision


def _last(view: View, old: RosterRow) -> tuple[Groups, str | None]:
    """What the recipient had, with the end that is known now."""
    groups = {name: dict(fields) for name, fields in old.fields.items()}
    spells = view.cover
    for resident in view.residents:
        if resident.uid == old.uid:
            spells = resident.spells
    if not spells:
        return groups, None
    groups["category"] = category_group(spells[-1])
    return groups, spells[-1].decision


def _told(
    event: CanonicalEvent,
    ctx: Context,
    rule: RosterRule,
    row: RosterRow,
    op: str,
    groups: Groups,
    decision: str | None,
) -> tuple[RosterRow, Deliver, Reason]:
    reason = Reason(
        rule.id,
        f"roster.{op}",
        ctx.profile.version,
        (event.event_id,),
        {"recipient": rule.recipient, "type": event.type},
    )
    copy = Deliver(
        program=rule.recipient,
        type=TYPE,
        cause=event.event_id,
        reason=reason,
        uid=row.uid,
        household=row.household,
        groups=groups,
        correlation=event.correlation_id,
        lifecycle=event.lifecycle if event.lifecycle != "annulled" else "corrected",
        decision_id=decision,
        occurred_at=event.occurred_at,
        jurisdiction=event.jurisdiction or ctx.profile.division,
        ordinal=row.row_key,
        body={"roster": {"op": op, "row_key": row.row_key}},
    )
    return row, copy, reason
