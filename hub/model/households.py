"""Households as facts fold them: members, spells, pupils, meters, houses.

``view`` is what every decider of derived rights and rosters reads; it is made once per event.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from hub.contracts.events import CanonicalEvent, Groups
from hub.model.folding import (
    DECEASED,
    RANKS,
    Segment,
    Span,
    Spell,
    clip,
    deceased,
    override,
    segments,
    spans,
    spells,
    stays,
)
from hub.model.records import Fact, Household, Person
from hub.model.states import Keys, State

_HEADS = frozenset({"户主", "本人", "head", "self"})


class Resident(NamedTuple):
    """One person of a household view."""

    uid: bytes
    ref: str
    person: Person
    entry: dict[str, Any]
    """The member's entry: relation, age band."""
    stays: list[Span]
    spells: list[Spell]
    schools: list[Span]
    jobless: list[Span]


class House(NamedTuple):
    """Assessments of one house, in fold order."""

    ref: str
    facts: list[Fact]


class View(NamedTuple):
    """A household, or a person without one."""

    household: str | None
    facts: list[Fact]
    residents: list[Resident]
    cover: list[Spell]
    """Spells in which anybody of the household is on roll."""
    default: list[Segment]
    meters: dict[str, Span]
    houses: list[House]

    @property
    def size(self) -> int:
        """Members now."""
        return sum(1 for r in self.residents if r.stays[-1].end is None)

    @property
    def head(self) -> Resident | None:
        """Whose name and address stand for the household."""
        for resident in self.residents:
            if resident.entry.get("relation") in _HEADS:
                return resident
        return self.residents[0] if self.residents else None


def views(state: State, event: CanonicalEvent, roll: frozenset[str]) -> list[View]:
    """Every view that a fact of this event can touch; not to be changed.

    Nearly every decider of an event asks, and few of them change a person or household before
    the next one does.

    Raises:
        Need: a household or member is not loaded.
    """
    known = state.viewed
    if known is not None and known[0] is event and known[1] == state.turn:
        return known[2]
    made = _views(state, event, roll)
    state.viewed = event, state.turn, made
    return made


def _views(state: State, event: CanonicalEvent, roll: frozenset[str]) -> list[View]:
    person = state.persons.get(event.uid) if event.uid is not None else None
    households = [event.household] if event.household else []
    if person is not None:
        if not households and not person.households:
            return [_solo_of(state, person, roll)]
        households += [h for h in person.households if h != event.household]
    return [view_of(state, household, roll) for household in households]


def _solo_of(state: State, person: Person, roll: frozenset[str]) -> View:
    """As :func:`solo`, made once per version of the record."""
    known = state.folded.get(person.uid)
    if known is not None and known[0][0] is person:
        view: View = known[1]
        return view
    made = solo(person, roll)
    state.folded[person.uid] = (person,), made
    return made


def view_of(state: State, household: str, roll: frozenset[str]) -> View:
    """The view of one household.

    Raises:
        Need: it or a member is not loaded.
    """
    record = state.households.get(household)
    if record is None:
        state.require(Keys(households=frozenset((household,))))
        return View(household, [], [], [], [], {}, [])
    persons = [state.persons.get(uid) for uid in record.uids]
    if None in persons:
        state.require(Keys(uids=frozenset(record.uids)))
    # Records are replaced and never changed, so the view of the same records is the same.
    key = (record, *persons)
    known = state.folded.get(household)
    if (
        known is not None
        and len(known[0]) == len(key)
        and all(a is b for a, b in zip(known[0], key, strict=True))
    ):
        view: View = known[1]
        return view
    made = _household_view(record, persons, roll)
    state.folded[household] = key, made
    return made


def _household_view(record: Household, persons: list[Person | None], roll: frozenset[str]) -> View:
    facts = record.facts
    default = segments(facts, single=False)
    shared = spells(default, roll)
    members = stays(facts)
    residents = []
    own = False
    for uid, person in zip(record.uids, persons, strict=True):
        ref = uid.hex()
        known = members.get(ref)
        if not known:
            continue
        found = person or Person(uid)
        residents.append(_resident(found, ref, known, default, shared, roll))
        own = own or residents[-1].spells is not shared
    cover = shared
    if own:
        cover = _union([r.spells for r in residents])
    return View(
        record.id,
        facts,
        residents,
        cover,
        default,
        _meters(facts, residents),
        _houses(facts, residents),
    )


def _resident(
    person: Person,
    ref: str,
    known: list[tuple[Span, dict[str, Any]]],
    default: list[Segment],
    shared: list[Spell],
    roll: frozenset[str],
) -> Resident:
    spans_ = [span for span, _ in known]
    facts = person.facts
    kinds = {fact.type for fact in facts}
    mine = shared
    single = any(kind.startswith("category.") for kind in kinds)
    whole = len(spans_) == 1 and spans_[0].end is None
    if single or not whole or (default and spans_[0].start > default[0].start):
        states = [piece for span in spans_ for piece in clip(default, span)]
        if single:
            states = override(states, segments(facts, single=True))
        mine = spells(states, roll)
    schools, jobless = _schools_and_jobs(facts, kinds)
    return Resident(person.uid, ref, person, known[-1][1], spans_, mine, schools, jobless)


def solo(person: Person, roll: frozenset[str]) -> View:
    """The view of a person who belongs to no household on record."""
    facts = person.facts
    if not facts:
        return View(None, [], [], [], [], {}, [])
    kinds = {fact.type for fact in facts}
    single = any(kind.startswith("category.") for kind in kinds)
    mine = spells(segments(facts, single=True), roll) if single else []
    schools, jobless = _schools_and_jobs(facts, kinds)
    always = [Span(-1_000_000, None, facts[0])]
    resident = Resident(person.uid, person.uid.hex(), person, {}, always, mine, schools, jobless)
    people = [resident]
    if not any("meter" in fact.data or "house" in fact.data for fact in facts):
        return View(None, [], people, mine, [], {}, [])
    return View(None, [], people, mine, [], _meters([], people), _houses([], people))


def _schools_and_jobs(facts: list[Fact], kinds: set[str]) -> tuple[list[Span], list[Span]]:
    """Times at school and without a job; most people have facts of neither."""
    schools = (
        spans(facts, "education.enrolled", "education.left")
        if "education.enrolled" in kinds
        else []
    )
    jobless = (
        spans(facts, "employment.lost", "employment.started") if "employment.lost" in kinds else []
    )
    return schools, jobless


def _union(several: Iterable[list[Spell]]) -> list[Spell]:
    """Spans in which any of the spells holds; the earliest opener is the episode."""
    ordered = sorted(
        (spell for group in several for spell in group),
        key=lambda s: (s.start, s.opener.effective, s.opener.rank, s.opener.id),
    )
    found: list[Spell] = []
    for spell in ordered:
        if found and (found[-1].end is None or found[-1].end >= spell.start):
            last = found[-1]
            scopes = last.scopes | spell.scopes
            if last.end is None or (spell.end is not None and spell.end <= last.end):
                found[-1] = last._replace(scopes=scopes)
            else:
                found[-1] = spell._replace(start=last.start, opener=last.opener, scopes=scopes)
            continue
        found.append(spell)
    return found


def _meters(facts: list[Fact], residents: list[Resident]) -> dict[str, Span]:
    found: dict[str, Span] = {}
    for fact in _all(facts, residents, "meter"):
        account = fact.data["meter"].get("meter_account")
        if not account:
            continue
        if fact.type == "electricity.meter_unmatched" or fact.lifecycle == "ceased":
            if account in found:
                found[account] = found[account]._replace(end=fact.effective, closer=fact)
        elif account not in found or found[account].end is not None:
            found[account] = Span(fact.effective, None, fact)
    return found


def _houses(facts: list[Fact], residents: list[Resident]) -> list[House]:
    found: dict[str, list[Fact]] = {}
    for fact in _all(facts, residents, "house"):
        house = fact.data["house"]
        if (ref := house.get("house_ref")) and house.get("danger_grade"):
            found.setdefault(ref, []).append(fact)
    return [House(ref, known) for ref, known in found.items()]


def _all(facts: list[Fact], residents: list[Resident], group: str) -> list[Fact]:
    found = [fact for fact in facts if group in fact.data and fact.void_by is None]
    for resident in residents:
        more = [f for f in resident.person.facts if group in f.data and f.void_by is None]
        if more:
            found = sorted((*found, *more), key=order)
    return found


def order(fact: Fact) -> tuple[int, int, str, str]:
    """The key facts fold by."""
    return fact.effective, fact.rank, fact.seq, fact.id


def on_roll(view: View, uid: bytes, day: int) -> Spell | None:
    """The spell of a person on a day."""
    for resident in view.residents:
        if resident.uid == uid:
            return next((spell for spell in resident.spells if spell.holds(day)), None)
    return None


def person_on_roll(state: State, uid: bytes, day: int, roll: frozenset[str]) -> Spell | None:
    """The spell of a person on a day, in whichever household; None: not on roll or unknown.

    Raises:
        Need: a household of the person is not loaded.
    """
    person = state.persons.get(uid)
    if person is None:
        return None
    if not person.households:
        return on_roll(solo(person, roll), uid, day)
    found = (on_roll(view_of(state, h, roll), uid, day) for h in person.households)
    return next((spell for spell in found if spell is not None), None)


def dead_by_decision(person: Person) -> Fact | None:
    """The decision that the person is dead, if it stands."""
    return next(
        (
            fact
            for fact in person.facts
            if fact.type == "category.ended" and fact.void_by is None and deceased(fact)
        ),
        None,
    )


def category_group(spell: Spell) -> dict[str, Any]:
    """The field group ``category`` of a spell's last state, for copies and rosters."""
    last = spell.last
    source = last.opener.data.get("category") or {}
    return {
        "category": last.category,
        "subtype": last.subtype or source.get("subtype"),
        "scope": last.scope,
        "effective_from": last.start,
        "effective_to": spell.end,
        "conditional": source.get("conditional"),
    }


def household_group(view: View) -> dict[str, Any]:
    """The field group ``household``: size and members now."""
    members = [
        {
            "ref": r.ref,
            "relation": r.entry.get("relation"),
            "age_band": r.entry.get("age_band"),
        }
        for r in view.residents
        if r.stays[-1].end is None
    ]
    return {"size": len(members), "members": members}


def shared_groups(view: View) -> Groups:
    """Address, phone and area as registered for the whole household."""
    groups: Groups = {}
    for fact in view.facts:
        if fact.void_by is None and fact.type == "household.changed":
            for name in ("contact", "area"):
                if name in fact.data:
                    groups[name] = {**groups.get(name, {}), **fact.data[name]}
    return groups


def person_groups(resident: Resident) -> Groups:
    """Identity and everything that folding keeps about a person, by field group."""
    groups: Groups = {
        name: dict(resident.person.identity[name])
        for name in ("id", "contact", "area")
        if name in resident.person.identity
    }
    for fact in resident.person.facts:
        if fact.void_by is None and fact.type in RANKS:
            for name in ("school", "job", "care", "life"):
                if name in fact.data:
                    groups[name] = {**groups.get(name, {}), **fact.data[name]}
    return groups


__all__ = [
    "DECEASED",
    "House",
    "Resident",
    "View",
    "category_group",
    "dead_by_decision",
    "household_group",
    "on_roll",
    "order",
    "person_groups",
    "person_on_roll",
    "shared_groups",
    "solo",
    "view_of",
    "views",
]
