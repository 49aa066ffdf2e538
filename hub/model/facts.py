"""Facts: the first step for every event puts it on record with its person or household.

``record`` runs before all deciders. Where it holds an event back (``held``), no decider runs:
an adverse effect waits for its decision, or was refused for want of one (I1).
"""

from __future__ import annotations

from bisect import insort
from typing import Any

import msgspec

from hub.contracts.events import CanonicalEvent, Groups
from hub.model.adverse import judge
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Decision
from hub.model.folding import DECEASED, RANKS
from hub.model.households import order
from hub.model.keys import member_uids
from hub.model.records import Fact, Household, Person
from hub.model.states import Keys, State

VOID = "void"
"""Type of the fact that an annulment leaves."""

_SHARED = frozenset(
    {
        "household.changed",
        "housing.danger_assessed",
        "electricity.meter_matched",
        "electricity.meter_unmatched",
    }
)
_KEPT: dict[str, tuple[str, ...]] = {
    "category": ("category", "change", "care", "meter"),
    "household": ("meter", "contact", "area"),
    "housing": ("house",),
    "electricity": ("meter",),
    "education": ("school",),
    "employment": ("job",),
    "person": ("life",),
    "care": ("care",),
    "poverty": ("list", "need"),
}
_MEMBER = ("ref", "relation", "age_band", "valid_from", "valid_to")
_IDENTITY = ("id", "contact", "area")


def record(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """Put an event on record.

    Returns:
        Changed person and household records; or, for an adverse effect without a decision in
        force, what happens instead, see :func:`held`.

    Raises:
        Need: a record it touches is not loaded.
    """
    held_back = judge(state, event, ctx)
    if held_back is not None:
        return held_back
    folds = event.type in RANKS
    if not folds and (event.uid is None or event.uid not in state.persons):
        return NOTHING
    changed: dict[Any, Any] = {}
    if folds:
        home = _household_of(state, event)
        if home is not None:
            _into_household(state, event, home, changed)
        elif event.uid is not None:
            _into_person(state, event, changed)
    _identity(state, event, changed)
    return Decision(changes=tuple(changed.values())) if changed else NOTHING


def held(decision: Decision) -> bool:
    """Whether ``record`` held the event back: no further decider may run on it."""
    because = decision.because
    return bool(because) and any(reason.key.startswith("effect.") for reason in because)


def _household_of(state: State, event: CanonicalEvent) -> str | None:
    """The household whose fact this is; None: it is the person's own."""
    if event.type in _SHARED:
        return event.household
    if not event.type.startswith("category."):
        return None
    if event.uid is not None and _is_personal(event.groups):
        return None
    if event.household:
        return event.household
    person = state.persons.get(event.uid) if event.uid is not None else None
    if person is not None and len(person.households) == 1:
        # A department that names the person only means the person's household by default.
        state.require(Keys(households=frozenset(person.households)))
        return person.households[0]
    return None


def _is_personal(groups: Groups) -> bool:
    """Aid for one person, or the decision that one person is dead."""
    group, change = groups.get("category") or {}, groups.get("change") or {}
    dead = DECEASED in {group.get("category"), change.get("after")}
    return dead or group.get("scope") == "single_person"


def _into_household(
    state: State, event: CanonicalEvent, home: str, changed: dict[Any, Any]
) -> None:
    household = state.households.get(home)
    if household is None:
        state.require(Keys(households=frozenset((home,))))
        household = Household(home)
    facts = _with(household.facts, event)
    uids = list(household.uids)
    named = member_uids(event.groups.get("household") or {})
    if event.uid is not None:
        named.append(event.uid)
    uids += [uid for uid in dict.fromkeys(named) if uid not in uids]
    if facts is None and len(uids) == len(household.uids):
        return
    changed[home] = Household(home, household.facts if facts is None else facts, uids)
    for uid in named:
        person = changed.get(uid) or _person(state, uid)
        if home not in person.households:
            changed[uid] = msgspec.structs.replace(person, households=[*person.households, home])


def _person(state: State, uid: bytes) -> Person:
    person = state.persons.get(uid)
    if person is None:
        state.require(Keys(uids=frozenset((uid,))))
        return Person(uid)
    return person


def _into_person(state: State, event: CanonicalEvent, changed: dict[Any, Any]) -> None:
    if event.uid is None:
        return
    person = _person(state, event.uid)
    facts = _with(person.facts, event)
    if facts is not None:
        changed[event.uid] = msgspec.structs.replace(person, facts=facts)


def _with(facts: list[Fact], event: CanonicalEvent) -> list[Fact] | None:
    """The facts with this event among them; None: it was there already."""
    void = event.lifecycle == "annulled" and event.replaces is not None
    fact = _void_of(event) if void else fact_of(event)
    name = fact.id
    linked = "of" in fact.data
    for known in facts:
        if known.id == name:
            return None
        if "of" in known.data:
            linked = True
    found = list(facts)
    if linked:
        _link(found, fact, event)
    if not found or order(found[-1]) <= order(fact):
        found.append(fact)
    else:
        insort(found, fact, key=order)
    return found


def _link(found: list[Fact], fact: Fact, event: CanonicalEvent) -> None:
    """Let corrections and annulments void what they replace, whichever came first."""
    root = _root(fact)
    for place, known in enumerate(found):
        # Versions of one record name the same original: the highest of them counts.
        if root is not None and (
            known.id == root or (_root(known) == root and known.seq < fact.seq)
        ):
            if known.void_by is None and known.type != VOID:
                found[place] = msgspec.structs.replace(known, void_by=event.event_id)
        elif _root(known) in {fact.id, root or ""} and fact.type != VOID:
            fact.void_by = known.source if known.type == VOID else known.id


def _root(fact: Fact) -> str | None:
    """The event whose record a fact corrects or annuls."""
    of = fact.data.get("of")
    return of["id"] if of is not None else None


def _void_of(event: CanonicalEvent) -> Fact:
    """An annulment; it stays, as its original or a correction of it may still come."""
    return Fact(
        f"{VOID}:{event.event_id}",
        VOID,
        0,
        0,
        -1,
        _seq(event),
        event.event_id,
        "",
        None,
        event.lifecycle,
        None,
        {"of": {"id": event.replaces}},
    )


def _seq(event: CanonicalEvent) -> str:
    version = event.source_version
    if version.isdigit():
        return version.zfill(20)
    return version or f"{event.occurred_at:015d}"


def fact_of(event: CanonicalEvent) -> Fact:
    """The fact of an event: what folding needs and nothing else."""
    return Fact(
        event.event_id,
        event.type,
        _effective(event),
        event.occurred_at,
        RANKS[event.type],
        _seq(event),
        event.source,
        event.correlation_id or event.event_id,
        event.decision_id or (event.groups.get("decision") or {}).get("decision_id"),
        event.lifecycle,
        None,
        _data(event),
    )


def _effective(event: CanonicalEvent) -> int:
    group = event.groups.get("category") or {}
    if event.type == "category.ended" and group.get("effective_to") is not None:
        return int(group["effective_to"])
    if event.type == "category.granted" and group.get("effective_from") is not None:
        return int(group["effective_from"])
    return event.effective_from


def _data(event: CanonicalEvent) -> dict[str, dict[str, Any]]:
    groups = event.groups
    family = event.type.partition(".")[0]
    data = {
        name: {field: value for field, value in groups[name].items() if value is not None}
        for name in _KEPT.get(family, ())
        if name in groups
    }
    members = groups["household"].get("members") if groups.get("household") else None
    if members and family in {"household", "category"}:
        data["household"] = {
            "members": [
                {name: m[name] for name in _MEMBER if m.get(name) is not None} for m in members
            ]
        }
    change = data.get("change")
    if change and change.get("item") == "care_level" and "care" not in data:
        data["care"] = {"care_level": change.get("after")}
    if event.lifecycle == "corrected" and event.replaces is not None:
        data["of"] = {"id": event.replaces}
    if event.uid is not None and event.household:
        data["who"] = {"uid": event.uid.hex()}
    return data


def _identity(state: State, event: CanonicalEvent, changed: dict[Any, Any]) -> None:
    """Keep the latest identity, contact and area of everybody the event describes."""
    found: list[tuple[bytes, dict[str, dict[str, Any]]]] = []
    told = event.groups
    if event.uid is not None:
        found.append((event.uid, {name: told[name] for name in _IDENTITY if name in told}))
    for member in (told["household"].get("members") or ()) if told.get("household") else ():
        if member.get("ref") and (member.get("name") or member.get("id_number")):
            told = {name: member.get(name) for name in ("name", "id_number")}
            found.append((bytes.fromhex(member["ref"]), {"id": told}))
    for uid, groups in found:
        person = changed.get(uid) or state.persons.get(uid)
        if person is None or not groups:
            continue
        identity = _merged(person.identity, groups, event.occurred_at)
        if identity is not None:
            changed[uid] = msgspec.structs.replace(person, identity=identity)


def _merged(
    known: dict[str, Any], groups: dict[str, dict[str, Any]], at: int
) -> dict[str, Any] | None:
    """Identity with newer values; None: nothing new.

    A value that is only confirmed does not move its date, as nearly every event repeats the
    identity and would otherwise write the person again.
    """
    merged: dict[str, Any] | None = None
    for name, group in groups.items():
        old = known.get(name) or {}
        if group.items() <= old.items():
            continue
        for field, value in group.items():
            if value is None or old.get(field) == value:
                continue
            if merged is None:
                merged = {key: dict(content) for key, content in known.items()}
            dates = merged.setdefault("at", {})
            place = f"{name}.{field}"
            if at >= dates.get(place, at):
                merged.setdefault(name, {})[field] = value
                dates[place] = at
    return merged
