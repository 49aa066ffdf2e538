"""Doctoring: sets as a right hub leaves them for a few facts, for tests that spoil one thing."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from itertools import count
from pathlib import Path

from tests.faults.loads.builders import CHINA, Builder
from tests.faults.loads.facts import DEAD_LETTER, DUPLICATE, Fact, Move, Told
from tests.faults.loads.ledgers import Outcome
from tests.faults.loads.people import family, person
from tests.faults.verifier.grants import MUST, Grants
from tests.faults.verifier.models import fold
from tests.faults.verifier.sets import (
    Copy,
    DeadLetter,
    Delivery,
    Event,
    Letter,
    Place,
    Referral,
    Seen,
    Sets,
    Sighting,
    Subscription,
)
from tests.faults.verifier.truths import Truth, is_changed

GRANTS = Grants(Path(__file__).resolve().parents[2] / "schemas")
TOPIC = "event.some"


def facts() -> list[Move]:
    """One of each kind: two families, an end, stays with a cancellation, bad records, repeats."""
    builder = Builder("t", datetime(2025, 6, 2, 9, tzinfo=CHINA))
    kept, left = family(1, "t", 1, 100), family(1, "t", 2, 200)
    granted = builder.grant(kept)
    return [
        granted,
        builder.grant(left),
        *builder.decided_end(left),
        *builder.stay(kept.head, cancelled=False),
        *builder.stay(kept.head, cancelled=True),
        builder.stranger(person(1, 1)),
        builder.insured(person(1, 2)),
        builder.job_lost(person(1, 3)),
        builder.settlement(kept.member),
        builder.wrong_number(person(1, 4)),
        builder.broken(),
        builder.again(granted),
        builder.changed(granted),
        *builder.relapses([person(1, 5), person(1, 6)]),
    ]


def truth_of(moves: list[Move], **outcomes: Outcome) -> Truth:
    """All of them acknowledged, but for those named by kind."""
    by_number = {move.fact.n: move.fact for move in moves}
    return Truth(by_number, {n: outcomes.get(fact.kind, "acked") for n, fact in by_number.items()})


def settled(moves: list[Move]) -> Sets:
    """What a right hub leaves behind."""
    return _Hub().run([move.fact for move in moves])


class _Hub:
    """Writes down what must be found; it decides nothing, the truth stands in the facts."""

    def __init__(self) -> None:
        self.sets = Sets(
            events=[],
            letters=[],
            copies=[],
            seen={},
            referrals={},
            deliveries=[],
            subscriptions={},
            dead_letters=[],
            sightings=[],
            roster=set(),
        )
        self._offsets = count()
        self._numbers: dict[str, count[int]] = {}

    def run(self, told: list[Fact]) -> Sets:
        for fact in told:
            self._fact(fact)
        sets = self.sets
        for name, numbers in self._numbers.items():
            last = next(numbers)
            sets.subscriptions[name] = Subscription(name, "", "kafka", 1, last, last - 1)
        state = fold(told)
        for row in sets.referrals.values():
            subject = _subject(row)
            row.stopped = not state.referrals[row.program, subject]
        sets.roster = {_uid(who) for who, on_roll in state.on_roll.items() if on_roll}
        end = next(self._offsets)
        place = Place(TOPIC, 0)
        sets.starts, sets.ends = {place: 0}, {place: end}
        sets.claims, sets.mirrors = {place: end}, {place: end}
        return sets

    def _fact(self, fact: Fact) -> None:
        sets = self.sets
        if fact.disposition == DEAD_LETTER:
            at = next(self._offsets)
            key = fact.key or "digest:1"
            row = DeadLetter(
                f"d{fact.n}", "intake", TOPIC, 0, at, fact.source, key, "", fact.code, "open"
            )
            sets.dead_letters.append(row)
            if fact.digest and not is_changed(fact):
                sets.letters.append(Letter("dlq.hub.x", 0, at, fact.digest, fact.code))
            return
        event_id = f"{fact.source}/{fact.key}/{fact.type}/{fact.lifecycle}"
        event = Event(
            *(TOPIC, 0, next(self._offsets), event_id, fact.source, fact.key),
            *(fact.type, fact.lifecycle, b"x"),
        )
        sets.events.append(event)
        if fact.disposition == DUPLICATE:
            return
        sets.seen[event_id] = Seen(event_id, fact.disposition, "", fact.type)
        rows = {one.subject + one.program: f"r{fact.n}/{i}" for i, one in enumerate(fact.opens)}
        for one in fact.opens:
            row_id = rows[one.subject + one.program]
            uid = _uid(one.subject) if one.kind == "person" else ""
            sets.referrals[row_id] = Referral(
                *(row_id, one.program, one.kind, one.subject, event_id, uid, "created"),
                stopped=False,
                cause=event_id,
            )
        for number, told in enumerate(fact.told):
            row_id = rows.get(told.subject + told.program, "")
            self._copy(told, event_id, f"c{fact.n}/{number}", row_id)

    def _copy(self, told: Told, event_id: str, copy_id: str, referral: str) -> None:
        seq = next(self._numbers.setdefault(told.program, count(1)))
        body = sha256(copy_id.encode()).hexdigest()
        must = MUST.get((told.program, told.type), frozenset())
        copy = Copy(
            *(told.program, seq - 1, copy_id, seq, 1, body, body, told.type, told.subject),
            *(told.subject, referral, must),
        )
        sets = self.sets
        sets.copies.append(copy)
        sets.deliveries.append(
            Delivery(told.program, 1, seq, copy_id, event_id, "cursor", told.type, body)
        )
        topic = f"program.{told.program}.inbox"
        sets.sightings.append(Sighting(topic, 0, seq - 1, copy_id, seq, 1, body, "", seq))


def _uid(who: str) -> str:
    return f"uid of {who}"


def _subject(row: Referral) -> str:
    return row.ref
