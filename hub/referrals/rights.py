"""Rights: what follows from the facts of a household, as one pure function (RG-03, RG-14 to 16).

Closed spells count as well, so the order of arrival does not matter: a grant and its end give one
right with an end, whichever came first.
"""

from __future__ import annotations

from typing import NamedTuple

from hub.contracts.events import Groups
from hub.kernel.event_ids import hub_event_id
from hub.model.folding import Span, Spell
from hub.model.households import (
    House,
    Resident,
    View,
    category_group,
    household_group,
    person_groups,
    shared_groups,
)
from hub.model.records import Fact
from hub.sdk.profiles import Profile, RightRule

Key = tuple[str, str, str, str]
"""Program, subject kind, subject ref, episode."""


class Right(NamedTuple):
    """One right over one spell."""

    rule: RightRule
    kind: str
    ref: str
    episode: str
    start: int
    end: int | None
    correlation: str
    decision: str | None
    """The decision that ended the spell; None while open or where no decision ended it."""
    lost: Fact | None
    """The fact by which the subject no longer fits, without any decision."""
    opener: Fact
    spell: Spell | None
    resident: Resident | None
    house: House | None

    @property
    def uid(self) -> bytes | None:
        """The person, None where the subject is the household's."""
        return self.resident.uid if self.resident is not None else None


def desired(view: View, profile: Profile) -> dict[Key, Right]:
    """Every right of a household, open and closed, in order of time."""
    found: dict[Key, Right] = {}
    for rule in profile.rights:
        if rule.subject == "job":
            rights = _jobs(rule, view)
        elif not view.cover:
            continue
        elif rule.subject in {"person", "pupil"}:
            rights = _people(rule, view)
        else:
            rights = _things(rule, view)
        for right in rights:
            found.setdefault((rule.program, right.kind, right.ref, right.episode), right)
    return found


def _people(rule: RightRule, view: View) -> list[Right]:
    pupils = rule.subject == "pupil"
    found = []
    for resident in view.residents:
        if pupils and not resident.schools:
            continue
        for spell in resident.spells:
            lost = None
            if pupils:
                school = _touching(resident.schools, spell)
                if school is None:
                    continue
                lost = _ended_before(school, spell)
            if not _applies(rule, spell, view, resident):
                continue
            found.append(_right(rule, rule.subject, resident.ref, spell, lost, resident, None))
    return found


def _things(rule: RightRule, view: View) -> list[Right]:
    spans: list[tuple[str, Span, House | None]]
    if rule.subject == "meter":
        spans = [(account, span, None) for account, span in view.meters.items()]
    else:
        spans = [
            (house.ref, span, house)
            for house in view.houses
            for span in _dangerous(house, rule.grades)
        ]
    found = []
    for ref, span, house in spans:
        for spell in view.cover:
            if not _touches(span, spell) or not _applies(rule, spell, view, None, house):
                continue
            lost = _ended_before(span, spell)
            found.append(_right(rule, rule.subject, ref, spell, lost, None, house))
    return found


def _jobs(rule: RightRule, view: View) -> list[Right]:
    return [
        Right(
            rule,
            "person",
            resident.ref,
            span.fact.id,
            span.start,
            span.end,
            span.fact.correlation,
            None,
            span.closer,
            span.fact,
            None,
            resident,
            None,
        )
        for resident in view.residents
        for span in resident.jobless
        if rule.during(span.start, span.end)
    ]


def _right(
    rule: RightRule,
    kind: str,
    ref: str,
    spell: Spell,
    lost: Fact | None,
    resident: Resident | None,
    house: House | None,
) -> Right:
    opener = spell.opener
    correlation = opener.correlation
    if rule.matter:
        correlation = hub_event_id(opener.id, f"{rule.matter}:{ref}", 0)
    decision = spell.decision
    if lost is None and spell.closer is not None and decision is None:
        lost = spell.closer
    return Right(
        rule,
        kind,
        ref,
        opener.id,
        spell.start,
        spell.end,
        correlation,
        decision,
        lost,
        opener,
        spell,
        resident,
        house,
    )


def _applies(
    rule: RightRule,
    spell: Spell,
    view: View,
    resident: Resident | None,
    house: House | None = None,
) -> bool:
    if not rule.during(spell.start, spell.end) or not spell.scopes.intersection(rule.scopes):
        return False
    if not rule.when:
        return True
    grade = house.facts[-1].data["house"].get("danger_grade") if house else None
    school = resident.schools[-1].fact.data.get("school") if resident and resident.schools else None
    return rule.holds(
        {
            "category": spell.last.category,
            "subtype": spell.last.subtype or "",
            "scope": spell.last.scope,
            "stage": (school or {}).get("stage") or "",
            "grade": grade or "",
            "size": view.size,
            "spell_from": spell.start,
        }
    )


def _touches(span: Span, spell: Spell) -> bool:
    return (spell.end is None or span.start < spell.end or span.start <= spell.start) and (
        span.end is None or span.end > spell.start
    )


def _touching(spans: list[Span], spell: Spell) -> Span | None:
    return next((span for span in reversed(spans) if _touches(span, spell)), None)


def _ended_before(span: Span, spell: Spell) -> Fact | None:
    ended = span.end is not None and (spell.end is None or span.end < spell.end)
    return span.closer if ended else None


def _dangerous(house: House, grades: tuple[str, ...]) -> list[Span]:
    """One span from the first dangerous assessment until the newest one says otherwise."""
    found: Span | None = None
    for fact in house.facts:
        bad = fact.lifecycle != "ceased" and fact.data["house"].get("danger_grade") in grades
        if bad and found is None:
            found = Span(fact.effective, None, fact)
        elif found is not None:
            found = found._replace(
                end=None if bad else fact.effective, closer=None if bad else fact
            )
    return [found] if found is not None else []


def copy_groups(right: Right, view: View) -> Groups:
    """Everything known that a program might be granted about a right; the mask decides."""
    resident = right.resident or view.head
    groups = shared_groups(view)
    for name, group in (person_groups(resident) if resident is not None else {}).items():
        groups[name] = {**groups.get(name, {}), **group}
    if right.spell is not None:
        groups["category"] = category_group(right.spell)
    groups["household"] = household_group(view)
    if right.house is not None:
        groups["house"] = dict(right.house.facts[-1].data["house"])
    if right.kind == "meter":
        groups["meter"] = {"meter_account": right.ref}
    if right.rule.need_kind:
        groups["need"] = {"need_kind": right.rule.need_kind}
    if right.rule.subject == "job":
        groups["job"] = {"status": "unemployed", "since": right.start, **_job(right)}
    if right.decision:
        groups["decision"] = {"decision_id": right.decision}
    return groups


def _job(right: Right) -> dict[str, object]:
    told = right.opener.data.get("job") or {}
    return {name: value for name, value in told.items() if value is not None}
