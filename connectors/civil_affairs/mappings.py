"""Messages of the civil affairs system (社会救助信息系统)."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Member, Observation, Original

ACTIONS = {
    "GRANT": "category.granted",
    "CHANGE": "category.changed",
    "SUSPEND": "category.suspended",
    "RESUME": "category.resumed",
    "END": "category.ended",
}
LIFECYCLES = {"NEW": "created", "CORRECT": "corrected", "CANCEL": "annulled"}
SCOPES = {"HOUSEHOLD": "household", "PERSON": "single_person"}
SUBTYPES = {"URBAN": "urban", "RURAL": "rural", "城": "urban", "乡": "rural"}
_WITH_TERMS = ("category.granted", "category.changed")
_WITH_FAMILY = (*_WITH_TERMS, "category.ended")
"""Events that carry the terms of the aid, and those that carry the family."""
CARE_LEVELS = {
    "全自理": "FULL_SELF_CARE",
    "半自理": "HALF_SELF_CARE",
    "半护理": "HALF_SELF_CARE",
    "全护理": "FULL_CARE",
}


class Person(msgspec.Struct, rename="camel", gc=False):
    """A person by name and ID number."""

    id_card: str
    name: str | None = None


class FamilyMember(msgspec.Struct, rename="camel", gc=False):
    """A member of the family; ``leaveDate`` is the first day no more."""

    id_card: str
    name: str | None = None
    relation: str | None = None
    join_date: str | None = None
    leave_date: str | None = None


class Category(msgspec.Struct, rename="camel", gc=False):
    """``mz.shjz.category``: what happened to a category."""

    record_no: str
    action: str
    category: str
    effective_date: str
    version: int | str = 1
    status: str = "NEW"
    family_no: str | None = None
    person: Person | None = None
    subtype: str | None = None
    scope: str | None = None
    end_date: str | None = None
    conditional: bool | None = None
    decision_no: str | None = None
    document_no: str | None = None
    change_item: str | None = None
    before: str | None = None
    after: str | None = None
    care_level: str | None = None
    meter_account: str | None = None
    income_per_head: str | None = None
    amount: str | None = None
    members: list[FamilyMember] = []
    area: str | None = None
    operated_at: str | None = None


class Decision(msgspec.Struct, rename="camel", gc=False):
    """``mz.shjz.decision``: what a named person decided."""

    decision_no: str
    power: str
    staff_no: str
    unit: str
    kind: str
    outcome: str
    decided_at: str
    version: int | str = 1
    status: str = "NEW"
    basis: str | None = None
    reason: str | None = None
    document_no: str | None = None
    case_no: str | None = None
    family_no: str | None = None
    person: Person | None = None
    category: str | None = None
    subtype: str | None = None
    scope: str | None = None
    effective_date: str | None = None
    end_date: str | None = None
    care_level: str | None = None
    members: list[FamilyMember] = []


class Household(msgspec.Struct, rename="camel", gc=False):
    """``mz.shjz.household``: registration of a family; ``members`` is the full list."""

    registration_no: str
    family_no: str
    change_type: str
    change_date: str
    version: int | str = 1
    status: str = "NEW"
    members: list[FamilyMember] = []
    meter_account: str | None = None
    house_no: str | None = None
    address: str | None = None
    phone: str | None = None
    area: str | None = None


def category(raw: Category) -> Observation:
    """A category granted, changed, suspended, resumed or ended."""
    event = m.code(raw.action, ACTIONS, "action")
    on = m.day(raw.effective_date, "effectiveDate")
    person = raw.person
    return Observation(
        type=event,
        record_key=raw.record_no,
        version=m.counted(raw.version, "version"),
        id_number=person.id_card if person else None,
        name=person.name if person else None,
        occurred=m.instant(raw.operated_at, "operatedAt") if raw.operated_at else midnight(on),
        effective=on,
        **_lifecycle(raw.status, raw.record_no, event),
        household=m.optional(raw.family_no),
        jurisdiction=raw.area or "",
        decision_id=m.optional(raw.decision_no),
        groups=_category_groups(raw, event, on),
        members=_members(raw.members) if event in _WITH_FAMILY else (),
    )


def _category_groups(raw: Category, event: str, on: int) -> dict[str, dict[str, Any]]:
    ended = m.optional_day(raw.end_date, "endDate")
    granted: dict[str, Any] = {
        "category": m.category(raw.category, "category"),
        "subtype": m.code(raw.subtype, SUBTYPES, "subtype") if raw.subtype else None,
        "scope": m.code(raw.scope, SCOPES, "scope") if raw.scope else None,
        "effective_from": None if event == "category.ended" else on,
        "effective_to": on if event == "category.ended" and ended is None else ended,
        "conditional": raw.conditional,
    }
    groups: dict[str, dict[str, Any]] = {"category": granted}
    if raw.change_item:
        groups["change"] = {"item": raw.change_item, "before": raw.before, "after": raw.after}
    if raw.decision_no or raw.document_no:
        groups["decision"] = {"decision_id": raw.decision_no, "document": raw.document_no}
    if raw.members and event in _WITH_FAMILY:
        groups["household"] = {"size": _size(raw.members)}
    if event in _WITH_TERMS:
        groups |= _terms(raw)
    return groups


def _terms(raw: Category) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    if raw.income_per_head:
        groups["income"] = {"per_head": m.money(raw.income_per_head, "incomePerHead")}
    if raw.care_level:
        groups["care"] = {"care_level": m.code(raw.care_level, CARE_LEVELS, "careLevel")}
    if raw.meter_account:
        groups["meter"] = {"meter_account": raw.meter_account}
    if raw.amount:
        groups["pay"] = {"amount": m.money(raw.amount, "amount")}
    return groups


def decision(raw: Decision) -> Observation:
    """A decision with power, person, unit and outcome; it takes effect by its own event."""
    person = raw.person
    groups: dict[str, dict[str, Any]] = {
        "decision": {
            "decision_id": m.text(raw.decision_no, "decisionNo"),
            "document": m.optional(raw.document_no),
            "power": m.text(raw.power, "power"),
            "person": m.text(raw.staff_no, "staffNo"),
            "unit": m.text(raw.unit, "unit"),
            "kind": m.text(raw.kind, "kind"),
            "outcome": m.text(raw.outcome, "outcome"),
            "basis": m.optional(raw.basis),
            "reason": m.optional(raw.reason),
            "case_ref": m.optional(raw.case_no),
        }
    }
    if raw.category:
        groups["category"] = {
            "category": m.category(raw.category, "category"),
            "subtype": m.code(raw.subtype, SUBTYPES, "subtype") if raw.subtype else None,
            "scope": m.code(raw.scope, SCOPES, "scope") if raw.scope else None,
            "effective_from": m.optional_day(raw.effective_date, "effectiveDate"),
            "effective_to": m.optional_day(raw.end_date, "endDate"),
        }
    if raw.care_level:
        groups["care"] = {"care_level": m.code(raw.care_level, CARE_LEVELS, "careLevel")}
    if raw.members:
        groups["household"] = {"size": _size(raw.members)}
    return Observation(
        type="decision.recorded",
        record_key=raw.decision_no,
        version=m.counted(raw.version, "version"),
        id_number=person.id_card if person else None,
        name=person.name if person else None,
        occurred=m.instant(raw.decided_at, "decidedAt"),
        effective=m.optional_day(raw.effective_date, "effectiveDate"),
        **_lifecycle(raw.status, raw.decision_no, "decision.recorded"),
        household=m.optional(raw.family_no),
        decision_id=raw.decision_no,
        correlation=raw.case_no or "",
        groups=groups,
        members=_members(raw.members),
    )


def household(raw: Household) -> Observation:
    """Registration of a family, or a change of its members, meter or house."""
    on = m.day(raw.change_date, "changeDate")
    groups: dict[str, dict[str, Any]] = {
        "household": {
            "size": _size(raw.members),
            "relations": sorted({one.relation for one in raw.members if one.relation}),
            "change": m.text(raw.change_type, "changeType"),
        }
    }
    if raw.meter_account:
        groups["meter"] = {"meter_account": raw.meter_account}
    if raw.house_no:
        groups["house"] = {"house_ref": raw.house_no}
    if raw.address or raw.phone:
        groups["contact"] = {"phone": raw.phone, "residence_address": raw.address}
    if raw.area:
        groups["area"] = {"residence_area": raw.area}
    return Observation(
        type="household.changed",
        record_key=raw.registration_no,
        version=m.counted(raw.version, "version"),
        occurred=midnight(on),
        **_lifecycle(raw.status, raw.registration_no, "household.changed"),
        household=m.text(raw.family_no, "familyNo"),
        jurisdiction=raw.area or "",
        groups=groups,
        members=_members(raw.members),
    )


def _lifecycle(status: str, key: str, event: str) -> dict[str, Any]:
    found = m.code(status, LIFECYCLES, "status")
    original = None if found == "created" else Original(key, event, m.FIRST)
    return {"lifecycle": found, "replaces": original}


def _size(members: list[FamilyMember]) -> int:
    return sum(1 for one in members if not one.leave_date)


def _members(members: list[FamilyMember]) -> tuple[Member, ...]:
    return tuple(
        Member(
            id_number=one.id_card,
            name=one.name,
            relation=one.relation,
            valid_from=m.optional_day(one.join_date, "members.joinDate"),
            valid_to=m.optional_day(one.leave_date, "members.leaveDate"),
        )
        for one in members
    )
