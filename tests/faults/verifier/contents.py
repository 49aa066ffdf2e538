"""Contents: the copies and referrals that facts must cause, those and no others."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.faults.loads.facts import Fact
from tests.faults.verifier.breaches import Allowed, Breach
from tests.faults.verifier.models import fold
from tests.faults.verifier.sets import Copy, Referral, Sets
from tests.faults.verifier.truths import Truth

CREATED = "referral.created"
STOPPED = "referral.stop_notified"
SERVED = "opening-balance"
"""First line of the history of a right that was served when the hub began."""
_BY_CALENDAR = frozenset({"roster.snapshot", "roster.part"})
"""Copies that no fact causes."""

Wanted = tuple[str, str, str]
"""Program, type, subject."""


class Links(NamedTuple):
    """How copies, events, facts and referrals hang together.

    Attributes:
        facts: Event id → its fact.
        causes: Program and copy id → event id.
        firsts: First copies by program, in the order the receiver finds them.
        subjects: Referral id → whom or what its first copy names.
    """

    facts: dict[str, Fact]
    causes: dict[tuple[str, str], str]
    firsts: dict[str, list[Copy]]
    subjects: dict[str, str]


def links(sets: Sets, truth: Truth) -> Links:
    """Find out what belongs to what."""
    originals = truth.originals()
    facts: dict[str, Fact] = {}
    for event in sets.events:
        fact = originals.get((event.source, event.key, event.type, event.lifecycle))
        if fact is not None:
            facts[event.event_id] = fact
    firsts: dict[str, list[Copy]] = defaultdict(list)
    known: set[tuple[str, str]] = set()
    for copy in sorted(sets.copies, key=lambda copy: (copy.program, copy.off)):
        if (copy.program, copy.copy_id) not in known:
            known.add((copy.program, copy.copy_id))
            firsts[copy.program].append(copy)
    causes = {(row.program, row.copy_id): row.event_id for row in sets.deliveries}
    subjects = {
        copy.referral: copy.subject
        for copies in firsts.values()
        for copy in copies
        if copy.type == CREATED and copy.referral
    }
    return Links(facts, causes, firsts, subjects)


def check(sets: Sets, truth: Truth, allowed: Allowed, counts: Counter[str]) -> Iterator[Breach]:
    """Copies, referrals, order and final state."""
    del allowed
    linked = links(sets, truth)
    yield from _copies(linked, truth)
    yield from _referrals(sets, linked, truth, counts)
    yield from _order(linked)
    yield from _state(sets, linked, truth, counts)


def _told(facts: Iterable[Fact]) -> Counter[Wanted]:
    return Counter((told.program, told.type, told.subject) for fact in facts for told in fact.told)


def _copies(linked: Links, truth: Truth) -> Iterator[Breach]:
    least, most = _told(truth.acked()), _told(truth.possible())
    came: Counter[Wanted] = Counter(
        (copy.program, copy.type, copy.subject)
        for copies in linked.firsts.values()
        for copy in copies
        if copy.type not in _BY_CALENDAR
    )
    who = _Names(truth)
    for wanted in sorted(most.keys() | came.keys()):
        program, kind, subject = wanted
        number, what = came[wanted], f"{program} {kind} of {who.of(subject)}"
        if number < least[wanted]:
            back = kind.endswith("-annulled") or kind == STOPPED
            missing = "missing_retraction" if back else "missing_copy"
            yield Breach(missing, f"{what}: {number} of {least[wanted]}")
        elif number > most[wanted]:
            yield Breach("surplus_copy", f"{what}: {number} instead of {most[wanted]}")


class _Names:
    """Facts instead of people's numbers, for reports."""

    def __init__(self, truth: Truth) -> None:
        self._first: dict[str, int] = {}
        for n, fact in truth.facts.items():
            for subject in (*fact.people, *(told.subject for told in fact.told)):
                self._first.setdefault(subject, n)

    def of(self, subject: str) -> str:
        """The first fact that names a subject."""
        found = self._first.get(subject)
        return f"the subject of fact {found}" if found else "a subject of no fact"


def _referrals(sets: Sets, linked: Links, truth: Truth, counts: Counter[str]) -> Iterator[Breach]:
    counts["referrals"] += len(sets.referrals)
    counts["served"] += (served := sum(map(_is_served, sets.referrals.values())))
    if served != truth.balance:
        yield Breach("orphan_referral", f"{served} rights served, not {truth.balance}")
    keys = Counter((r.program, r.kind, r.ref, r.episode) for r in sets.referrals.values())
    for (program, kind, _, episode), number in keys.items():
        if number > 1:
            yield Breach("duplicate_referral", f"{program} {kind} episode {episode}: {number} rows")
    came: dict[tuple[str, str], set[int]] = defaultdict(set)
    rows: Counter[tuple[str, str]] = Counter()
    for row in itertools.filterfalse(_is_served, sets.referrals.values()):
        fact = linked.facts.get(row.cause)
        subject = linked.subjects.get(row.id)
        if fact is None:
            yield Breach("orphan_referral", f"{row.program} {row.id}: no fact caused it")
        elif subject is None:
            yield Breach("missing_copy", f"{row.program} {row.id}: no receiver was told of it")
        else:
            opener = linked.facts.get(row.episode)
            came[row.program, subject].add(opener.n if opener else 0)
            rows[row.program, subject] += 1
    for copies in linked.firsts.values():
        for copy in copies:
            if copy.referral and copy.referral not in sets.referrals:
                yield Breach("orphan_referral", f"{copy.program} {copy.copy_id}: no ledger row")
    yield from _expected(came, rows, truth)


def _is_served(row: Referral) -> bool:
    """Whether it was served when the hub began, so that no fact opened it."""
    return row.cause_kind == SERVED


def _expected(
    came: dict[tuple[str, str], set[int]], rows: Counter[tuple[str, str]], truth: Truth
) -> Iterator[Breach]:
    possible: dict[tuple[str, str], set[int]] = defaultdict(set)
    for fact in truth.possible():
        for one in fact.opens:
            possible[one.program, one.subject].add(one.episode)
    for fact in truth.acked():
        for one in fact.opens:
            if one.episode not in came.get((one.program, one.subject), ()):
                yield Breach("missing_referral", f"{one.program} by fact {one.episode}")
    for (program, subject), number in rows.items():
        if number > len(possible.get((program, subject), ())) > 0:
            yield Breach(
                "duplicate_referral",
                f"{program} by facts {sorted(possible[program, subject])}: {number} rows",
            )
        elif (program, subject) not in possible:
            yield Breach("orphan_referral", f"{program}: a row for a subject no fact refers")


def _order(linked: Links) -> Iterator[Breach]:
    for program, copies in linked.firsts.items():
        links_of: dict[str, tuple[int, int]] = {}
        numbers: dict[tuple[int, str], int] = {}
        for copy in copies:
            before = numbers.get((copy.generation, copy.person), 0)
            if copy.person and copy.seq < before:
                yield Breach("inversion", f"{program} number {copy.seq} after {before}")
            numbers[copy.generation, copy.person] = max(before, copy.seq)
            fact = linked.facts.get(linked.causes.get((program, copy.copy_id), ""))
            if fact is None or not fact.chain:
                continue
            link, n = links_of.get(fact.chain, (0, 0))
            if fact.link < link:
                yield Breach("inversion", f"{program}: fact {fact.n} came after fact {n}")
            else:
                links_of[fact.chain] = fact.link, fact.n


def _state(sets: Sets, linked: Links, truth: Truth, counts: Counter[str]) -> Iterator[Breach]:
    uncertain = {
        subject
        for n, fact in truth.facts.items()
        if truth.outcomes[n] == "unknown"
        for subject in (*fact.people, *(one.subject for one in fact.opens))
    } | {
        subject
        for n, fact in truth.facts.items()
        if truth.outcomes[n] == "unknown"
        for _, subject in fact.stops
    }
    state = fold(truth.acked())
    who = _Names(truth)
    uids: dict[str, str] = {}
    for row in sets.referrals.values():
        subject = linked.subjects.get(row.id)
        if subject is None or subject in uncertain:
            continue
        if row.uid:
            uids[subject] = row.uid
        is_open = state.referrals.get((row.program, subject))
        if is_open is not None and is_open == row.stopped:
            yield Breach(
                "final_state",
                f"{row.program} of {who.of(subject)} is {'stopped' if row.stopped else 'open'}",
            )
    for person, on_roll in state.on_roll.items():
        uid = uids.get(person)
        if uid is None or person in uncertain:
            continue
        counts["people_compared"] += 1
        if (uid in sets.roster) != on_roll:
            yield Breach("final_state", f"{who.of(person)} is {'not ' * on_roll}on the roster")
    known = set(uids.values())
    strangers = len(sets.roster - known) - truth.balance
    if strangers and not uncertain:
        yield Breach("final_state", f"{strangers} on the roster whom no fact put there")
