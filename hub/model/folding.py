"""Folding: what a list of facts says, by effective date and never by arrival.

Facts come in fold order (effective, rank, seq, id). Days are days since 1970-01-01; a span ends
on the first day no more, ``None``: still open. All functions are pure and cheap enough for every
event: no sorting, one pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hub.model.records import Fact

EXITED = "EXITED"
DECEASED = "DECEASED"
ALWAYS = -1_000_000
"""A day before every date: membership without a known first day."""

RANKS = {
    "household.changed": 0,
    "housing.danger_assessed": 0,
    "electricity.meter_matched": 0,
    "electricity.meter_unmatched": 1,
    "education.enrolled": 0,
    "education.left": 1,
    "care.level_assessed": 0,
    "employment.lost": 0,
    "employment.started": 1,
    "person.died": 0,
    "person.death_retracted": 1,
    "poverty.relapsed": 0,
    "poverty.backstop_needed": 0,
    "category.granted": 2,
    "category.changed": 3,
    "category.suspended": 4,
    "category.resumed": 5,
    "category.ended": 6,
}
"""Types that fold, and their order on one day: an end on the day of a grant comes after it."""


class Segment(NamedTuple):
    """One main state over a span."""

    start: int
    end: int | None
    category: str
    subtype: str | None
    scope: str
    opener: Fact
    closer: Fact | None


class Spell(NamedTuple):
    """Being on roll without a gap, over one or several main states.

    ``opener`` is the fact whose id is the episode; ``closer`` ended it, None while open.
    """

    start: int
    end: int | None
    opener: Fact
    closer: Fact | None
    last: Segment
    scopes: frozenset[str]

    @property
    def episode(self) -> str:
        """Id of the fact that opened it."""
        return self.opener.id

    @property
    def decision(self) -> str | None:
        """The decision that ended it; None while open or where something else ended it."""
        closer = self.closer
        ended = closer is not None and (
            closer.type == "category.ended" or closer.lifecycle == "ceased"
        )
        return closer.decision if ended and closer is not None else None

    def holds(self, day: int) -> bool:
        """Whether the day lies in it."""
        return self.start <= day and (self.end is None or day < self.end)


class Span(NamedTuple):
    """Something that held over a span: a stay in a household, a school, a job, a meter."""

    start: int
    end: int | None
    fact: Fact
    closer: Fact | None = None


def deceased(fact: Fact) -> bool:
    """Whether the fact is the decision that a person is dead."""
    group = fact.data.get("category") or {}
    change = fact.data.get("change") or {}
    return DECEASED in {group.get("category"), change.get("after")}


def segments(facts: Iterable[Fact], *, single: bool) -> list[Segment]:
    """Main states out of ``category.*`` facts.

    A grant inside an open state of the same category opens nothing; of another category it
    takes its place. An end names the category it ends: one that was replaced is not ended again.

    Args:
        facts: In fold order; other types are passed over.
        single: Facts of one person, which override the household's: an end where no state of
            the person's own is open takes the person out of the household's.
    """
    found: list[Segment] = []
    open_: Segment | None = None
    for fact in facts:
        kind = fact.type
        if fact.void_by is not None or not kind.startswith("category."):
            continue
        group = fact.data.get("category") or {}
        named = group.get("category")
        if kind == "category.ended" or fact.lifecycle == "ceased":
            open_ = _ended(fact, named, open_, found, single=single)
        elif kind in _STATES and named and (open_ is None or open_.category != named):
            if open_ is not None:
                found.append(open_._replace(end=fact.effective, closer=fact))
            elif kind == "category.changed":
                continue
            open_ = _state(fact, named, group.get("subtype"))
    if open_ is not None:
        found.append(open_)
    return found


def _ended(
    fact: Fact, named: str | None, open_: Segment | None, found: list[Segment], *, single: bool
) -> Segment | None:
    """Close the open state, take a person out of the household's, or set DECEASED."""
    dead = single and deceased(fact)
    if open_ is not None and (dead or named in {None, open_.category, EXITED}):
        found.append(open_._replace(end=fact.effective, closer=fact))
        open_ = None
    elif single and open_ is None and not dead:
        found.append(_state(fact, EXITED, None))
    return _state(fact, DECEASED, None) if dead else open_


_STATES = frozenset({"category.granted", "category.changed"})


def _state(fact: Fact, category: str, subtype: str | None) -> Segment:
    scope = (fact.data.get("category") or {}).get("scope") or "household"
    return Segment(fact.effective, None, category, subtype, scope, fact, None)


def spells(states: Sequence[Segment], roll: frozenset[str]) -> list[Spell]:
    """On-roll spells out of main states in order of their start; no gap, one spell."""
    found: list[Spell] = []
    for state in states:
        if state.category not in roll:
            continue
        if found:
            last = found[-1]
            if last.end is None or last.end >= state.start:
                later = last.end is not None and (state.end is None or state.end > last.end)
                found[-1] = Spell(
                    last.start,
                    state.end if later else last.end,
                    last.opener,
                    state.closer if later else last.closer,
                    state if later or last.end is None else last.last,
                    last.scopes | {state.scope},
                )
                continue
        found.append(
            Spell(
                state.start,
                state.end,
                state.opener,
                state.closer,
                state,
                frozenset((state.scope,)),
            )
        )
    return found


def clip(states: Iterable[Segment], stay: Span) -> list[Segment]:
    """The household's states as far as a stay in the household covers them."""
    found = []
    for state in states:
        start, end, opener, closer = state.start, state.end, state.opener, state.closer
        if stay.start > start:
            start, opener = stay.start, stay.fact
        if stay.end is not None and (end is None or stay.end < end):
            end, closer = stay.end, stay.closer
        if end is None or start < end or (start == end and end == state.end):
            found.append(state._replace(start=start, end=end, opener=opener, closer=closer))
    return found


def override(states: list[Segment], own: Iterable[Segment]) -> list[Segment]:
    """Household states with the person's own ones in their place; by start."""
    rest = states
    placed: list[Segment] = []
    for state in own:
        end = state.end
        if state.category == EXITED and end is None:
            # Taken out of this state of the household, not of one granted later.
            end = next(
                (s.end for s in states if s.start <= state.start and _after(s.end, state.start)),
                None,
            )
        mine = state._replace(end=end)
        placed.append(mine)
        rest = [piece for old in rest for piece in _without(old, mine)]
    return sorted((*rest, *placed), key=lambda s: (s.start, s.opener.rank, s.opener.id))


def _without(old: Segment, mine: Segment) -> list[Segment]:
    pieces = []
    if not _after(old.end, mine.start) or not _after(mine.end, old.start):
        return [old]
    if old.start < mine.start:
        pieces.append(old._replace(end=mine.start, closer=mine.opener))
    if mine.end is not None and _after(old.end, mine.end):
        pieces.append(old._replace(start=mine.end, opener=mine.closer or mine.opener))
    return pieces


def _after(end: int | None, day: int) -> bool:
    return end is None or end > day


def stays(facts: Iterable[Fact]) -> dict[str, list[tuple[Span, dict[str, Any]]]]:
    """Who was a member and when: hex uid → spans with the member's entry.

    ``household.changed`` and grants list members; a later listing of the same person extends
    or closes the stay. The person whom a household fact names is a member as well.
    """
    found: dict[str, list[tuple[Span, dict[str, Any]]]] = {}
    implied: list[Fact] = []
    for fact in facts:
        if fact.void_by is not None:
            continue
        data = fact.data
        if "who" in data:
            implied.append(fact)
        group = data.get("household")
        if group is None:
            continue
        for member in group.get("members") or ():
            if ref := member.get("ref"):
                _stay(found.setdefault(ref, []), member, fact)
    for fact in implied:
        ref = fact.data["who"]["uid"]
        if ref not in found:
            found[ref] = [(Span(ALWAYS, None, fact), {"ref": ref})]
    return found


def _stay(known: list[tuple[Span, dict[str, Any]]], member: dict[str, Any], fact: Fact) -> None:
    first, end = member.get("valid_from"), member.get("valid_to")
    closer = fact if end is not None else None
    if known:
        last, entry = known[-1]
        merged = {**entry, **{name: value for name, value in member.items() if value is not None}}
        if last.end is None or (first is not None and first < last.end):
            start = last.start if first is None else min(first, last.start)
            known[-1] = (Span(start, end, last.fact, closer), merged)
            return
        if first is None and end is not None:
            known[-1] = (last._replace(end=end, closer=fact), merged)
            return
    joined = fact.type == "household.changed" and first is None
    start = fact.effective if joined else (ALWAYS if first is None else first)
    if end is not None and first is None:
        start = ALWAYS
    known.append((Span(start, end, fact, closer), member))


def spans(facts: Iterable[Fact], opens: str, closes: str) -> list[Span]:
    """Spans between facts of two types; a repeated opening inside an open span only renews it."""
    found: list[Span] = []
    for fact in facts:
        if fact.void_by is not None:
            continue
        if fact.type == opens and fact.lifecycle != "ceased":
            if found and found[-1].end is None:
                continue
            found.append(Span(fact.effective, None, fact))
        elif (fact.type in {closes, opens}) and found and found[-1].end is None:
            found[-1] = found[-1]._replace(end=fact.effective, closer=fact)
    return found


def latest(facts: Iterable[Fact], group: str) -> dict[str, Any] | None:
    """The newest known content of a field group."""
    found = None
    for fact in facts:
        if fact.void_by is None and (value := fact.data.get(group)):
            found = value
    return found


def death(facts: Iterable[Fact]) -> Fact | None:
    """The death report that stands: confirmed outranks reported; None: none or retracted."""
    found: Fact | None = None
    for fact in facts:
        if fact.void_by is not None:
            continue
        if fact.type == "person.died":
            if found is None or _confirmed(fact) or not _confirmed(found):
                found = fact
        elif fact.type == "person.death_retracted":
            found = None
    return found


def _confirmed(fact: Fact) -> bool:
    return (fact.data.get("life") or {}).get("status") == "confirmed"


def confirmed(fact: Fact | None) -> bool:
    """Whether a death report is a confirmed one."""
    return fact is not None and _confirmed(fact)
