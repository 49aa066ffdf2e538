"""Rows of a roster: granted columns only, for persons, pupils or meters on roll (RG-03)."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from hub.contracts.catalogues import catalogue
from hub.contracts.events import Groups
from hub.kernel.dates import date_of
from hub.kernel.errors import ConfigurationError
from hub.model.folding import Spell
from hub.model.households import (
    Resident,
    View,
    category_group,
    household_group,
    person_groups,
)
from hub.sdk.profiles import RosterRule

SNAPSHOT = "snapshot:"
"""Row keys that begin so hold a recipient's snapshots, not a row of the roster."""


class Row(NamedTuple):
    """A row as it should be: its key, whom it is about, granted fields and all that is known."""

    key: str
    uid: bytes | None
    fields: Groups
    groups: Groups
    spell: Spell


class Known(NamedTuple):
    """A person on roll now and everything known that a roster might grant."""

    resident: Resident
    spell: Spell
    groups: Groups


def known_people(view: View) -> list[Known]:
    """People of a household whose last spell is open."""
    found = []
    household = None
    for resident in view.residents:
        spell = resident.spells[-1] if resident.spells else None
        if spell is not None and spell.end is None:
            household = household or household_group(view)
            found.append(Known(resident, spell, person_row(resident, view, spell, household)))
    return found


def rows_of(rule: RosterRule, view: View, people: list[Known]) -> dict[str, Row]:
    """Rows of one recipient out of one household."""
    if rule.row == "meter":
        return _meter_rows(rule, view)
    return {
        resident.ref: Row(resident.ref, resident.uid, _granted(rule, groups), groups, spell)
        for resident, spell, groups in people
        if rule.row == "person" or (resident.schools and resident.schools[-1].end is None)
    }


def _meter_rows(rule: RosterRule, view: View) -> dict[str, Row]:
    cover = view.cover[-1] if view.cover else None
    if cover is None or cover.end is not None:
        return {}
    found = {}
    for account, span in view.meters.items():
        if span.end is None:
            groups = {"category": category_group(cover), "meter": {"meter_account": account}}
            found[account] = Row(account, None, _granted(rule, groups), groups, cover)
    return found


def person_row(resident: Resident, view: View, spell: Spell, household: dict[str, Any]) -> Groups:
    """Everything known about a person that a roster might grant."""
    groups = person_groups(resident)
    groups["category"] = category_group(spell)
    groups["household"] = household
    care = care_level(resident, view)
    if care is not None:
        groups["care"] = {"care_level": care}
    return groups


def care_level(resident: Resident, view: View) -> str | None:
    """The newest care level, from the person's facts or from the household's about the person."""
    best: tuple[int, int, str, str] | None = None
    level = None
    for fact in (*view.facts, *resident.person.facts):
        told = fact.data.get("care")
        if told is None or fact.void_by is not None or not told.get("care_level"):
            continue
        who = fact.data.get("who")
        if who is not None and who["uid"] != resident.ref:
            continue
        key = fact.effective, fact.rank, fact.seq, fact.id
        if best is None or key > best:
            best, level = key, told["care_level"]
    return level


@cache
def columns(rule_id: str, recipient: str, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Columns of a roster as (group, field), each one granted to the recipient.

    Raises:
        ConfigurationError: a column that the recipient's grant does not hold.
    """
    grant = catalogue().grants.get(recipient)
    granted = {(g.group, g.field) for g in grant.fields} if grant is not None else set()
    found = []
    for name in names:
        group, _, field = name.partition(".")
        if (group, field) not in granted:
            raise ConfigurationError(
                f"Roster rule {rule_id}: the column {name} is not granted to {recipient}.",
                hint="Take it out of roster.yaml, or grant it in schemas/grants.yaml.",
                message_zh=f"名册规则 {rule_id}:列 {name} 未授权给 {recipient}。",
            )
        found.append((group, field))
    return tuple(found)


@cache
def _unless_student_no(recipient: str) -> frozenset[tuple[str, str]]:
    grant = catalogue().grants[recipient]
    return frozenset((g.group, g.field) for g in grant.fields if g.marker == "no_student_no")


class _Field(NamedTuple):
    """One column: its name, where its value lies, and how it is made."""

    name: str
    raw: str
    month: bool
    spared: bool
    """Only for those without a student number."""


@cache
def _plan(
    rule_id: str, recipient: str, names: tuple[str, ...]
) -> tuple[tuple[str, tuple[_Field, ...]], ...]:
    """Columns by group, worked out once for each rule."""
    spared = _unless_student_no(recipient)
    plan: dict[str, list[_Field]] = {}
    for group, field in columns(rule_id, recipient, names):
        month = field.endswith("_month")
        raw = field.removesuffix("_month")
        plan.setdefault(group, []).append(_Field(field, raw, month, (group, field) in spared))
    return tuple((group, tuple(fields)) for group, fields in plan.items())


def _granted(rule: RosterRule, groups: Groups) -> Groups:
    known = bool((groups.get("school") or {}).get("student_no"))
    fields: Groups = {}
    for group, plan in _plan(rule.id, rule.recipient, rule.columns):
        content = groups.get(group)
        if not content:
            continue
        kept = {}
        for name, raw, month, spared in plan:
            value = content.get(raw)
            if value is not None and not (spared and known):
                kept[name] = date_of(value).isoformat()[:7] if month else value
        if kept:
            fields[group] = kept
    return fields
