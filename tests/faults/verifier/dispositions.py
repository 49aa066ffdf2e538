"""Dispositions: every acknowledged fact ended as it must, in exactly one way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.faults.loads.facts import DEAD_LETTER, Fact
from tests.faults.verifier.breaches import Allowed, Breach
from tests.faults.verifier.sets import DeadLetter, Event, Sets
from tests.faults.verifier.truths import Name, Truth, events_by_name, is_changed, name_of

BUG = "E-BUG"
CHANGED = "E-CHANGED-WITHOUT-VERSION"


def check(sets: Sets, truth: Truth, allowed: Allowed, counts: Counter[str]) -> Iterator[Breach]:
    """Lost, unseen, wrong dispositions, E-BUG."""
    found = _Found(sets)
    for event in sets.events:
        if event.event_id not in sets.seen:
            yield Breach("unseen", f"{event.topic}/{event.part}@{event.off} {event.type}")
    uncertain = [fact for fact in truth.possible() if truth.outcomes[fact.n] != "acked"]
    counts["unknown"] += len(uncertain)
    for fact in truth.acked():
        counts["acked"] += 1
        yield from _of_fact(found, fact, counts)
    for fact in uncertain:
        # It may have come or not; if it did, it must have ended as it must.
        if found.is_there(fact):
            counts["unknown_arrived"] += 1
            yield from _of_fact(found, fact, counts)
    yield from _unexpected(sets, truth, allowed, counts)


class _Found:
    """What became of facts, by their names."""

    def __init__(self, sets: Sets) -> None:
        self.sets = sets
        self.events: dict[Name, list[Event]] = events_by_name(sets.events)
        self.dead: dict[tuple[str, str], list[DeadLetter]] = defaultdict(list)
        for letter in sets.dead_letters:
            self.dead[letter.source, letter.key].append(letter)
        self.bodies = {letter.digest: letter.code for letter in sets.letters}

    def codes(self, fact: Fact) -> set[str]:
        """Codes of dead letters about this record."""
        codes = {one.code for one in self.dead.get((fact.source, fact.key), ()) if fact.key}
        if fact.digest in self.bodies:
            codes.add(self.bodies[fact.digest])
        return codes

    def is_there(self, fact: Fact) -> bool:
        """Whether anything of it reached the hub."""
        return bool(self.codes(fact) or self.events.get(name_of(fact)))


def _of_fact(found: _Found, fact: Fact, counts: Counter[str]) -> Iterator[Breach]:
    what, codes = f"fact {fact.n} {fact.kind}", found.codes(fact)
    events = found.events.get(name_of(fact), [])
    if fact.disposition == DEAD_LETTER:
        if fact.code in codes:
            counts[f"dead_letter {fact.code}"] += 1
        elif codes:
            yield Breach("wrong_disposition", f"{what}: {fact.code} became {sorted(codes)}")
        elif events and not is_changed(fact):
            yield Breach("wrong_disposition", f"{what}: {fact.code} became an event")
        else:
            yield Breach("lost", f"{what}: no dead letter {fact.code}")
        return
    if not events:
        kind = "wrong_disposition" if codes else "lost"
        yield Breach(kind, f"{what}: dead letter {sorted(codes)}" if codes else what)
        return
    for event_id in {event.event_id for event in events}:
        seen = found.sets.seen.get(event_id)
        if seen is None:
            # Told as unseen already.
            continue
        counts[seen.disposition] += 1
        # A repeat ends as its original did.
        if fact.disposition not in (seen.disposition, "duplicate"):
            yield Breach(
                "wrong_disposition", f"{what}: {seen.disposition} {seen.reason}, {fact.disposition}"
            )
    counts["repeated_events"] += len(events) - len({event.event_id for event in events})


def _unexpected(
    sets: Sets, truth: Truth, allowed: Allowed, counts: Counter[str]
) -> Iterator[Breach]:
    """Dead letters that no fact of the ledger asks for."""
    expected: dict[tuple[str, str], set[str]] = defaultdict(set)
    bodies = set()
    for fact in truth.possible():
        if fact.disposition == DEAD_LETTER:
            expected[fact.source, fact.key].add(fact.code)
            bodies.add(fact.digest)
    broken = {letter.code for letter in sets.letters if letter.digest in bodies}
    extra = 0
    for letter in sets.dead_letters:
        if letter.code == BUG and BUG not in allowed.codes:
            yield Breach("bug", f"{letter.topic}/{letter.part}@{letter.off}")
            continue
        if letter.code in expected.get((letter.source, letter.key), ()):
            continue
        if letter.key.startswith("digest:") and letter.code in broken:
            continue
        if letter.code in allowed.codes:
            extra += 1
            continue
        yield Breach(
            "wrong_disposition",
            f"dead letter {letter.code} {letter.topic}@{letter.off} unasked for",
        )
    counts["allowed_dead_letters"] += extra
    if allowed.dead is not None and extra != allowed.dead:
        yield Breach(
            "wrong_disposition",
            f"{extra} dead letters of {sorted(allowed.codes)}, not {allowed.dead}",
        )
