"""Told copies on real facts, ledgers and roles."""

from __future__ import annotations

from datetime import date

import pytest

from hub.contracts.events import CanonicalEvent
from hub.kernel.dates import days_of
from hub.model.decisions import Deliver, Deny
from hub.model.facts import held, record
from hub.model.records import Interest
from hub.model.states import Need, State
from hub.referrals import ledgers
from hub.routing.tells import Tells

A, CHILD = b"A" * 16, b"B" * 16
HOME = "H-0001"
DAY = days_of(date(2025, 2, 10))
MEMBERS = [
    {"ref": A.hex(), "relation": "户主", "valid_from": DAY - 900},
    {"ref": CHILD.hex(), "relation": "子女", "valid_from": DAY - 900},
]


class World:
    """A hub without a database: what is not there is not there."""

    def __init__(self, receivers, ctx) -> None:
        self.state = State()
        self.ctx = ctx
        self.deciders = (ledgers.decide, Tells(receivers).decide)
        self.told: list[Deliver] = []
        self.denied: list[Deny] = []

    def take(self, event: CanonicalEvent) -> list[Deliver]:
        """Told copies of one event."""
        first = self._ask(record, event)
        told: list[Deliver] = []
        if not held(first):
            for decider in self.deciders:
                decision = self._ask(decider, event)
                if decider is not ledgers.decide:
                    told = [e for e in decision.effects if isinstance(e, Deliver)]
                    self.denied += [e for e in decision.effects if isinstance(e, Deny)]
        self.told += told
        return told

    def _ask(self, decider, event):
        while True:
            try:
                decision = decider(self.state, event, self.ctx)
            except Need as need:
                self.state.loaded |= need.keys
                continue
            self.state.apply(decision.changes)
            return decision


@pytest.fixture
def world(receivers, ctx):
    return World(receivers, ctx)


def fact(number: int, kind: str, groups, **changes) -> CanonicalEvent:
    source = {
        "health": "health",
        "person": "police",
        "education": "education",
        "employment": "hrss",
    }
    known = {
        "event_id": f"0d9c3c0b-5f0e-5d55-8a6b-{number:012d}",
        "type": kind,
        "source": source.get(kind.partition(".")[0], "civil-affairs"),
        "source_record_key": f"r{number}",
        "uid": A,
        "jurisdiction": "320682",
        "effective_from": DAY + number,
        "occurred_at": (DAY + number) * 86_400_000,
        "correlation_id": "matter",
        "groups": groups,
    }
    return CanonicalEvent(**(known | changes))


def grant(number: int = 1) -> CanonicalEvent:
    groups = {
        "category": {"category": "DIBAO", "scope": "household"},
        "household": {"size": 2, "members": MEMBERS},
        "meter": {"meter_account": "M-A"},
    }
    return fact(number, "category.granted", groups, household=HOME)


def enrolled(number: int = 0) -> CanonicalEvent:
    school = {"school": "实验小学", "stage": "primary", "student_no": "S-1"}
    return fact(number, "education.enrolled", {"school": school}, uid=CHILD, household=HOME)


def admitted(number: int = 5, **changes) -> CanonicalEvent:
    stay = {"hospital": "人民医院", "admitted_on": DAY, "local": True}
    return fact(number, "health.hospitalized", {"stay": stay}, **changes)


def programs(told: list[Deliver]) -> set[str]:
    return {copy.program for copy in told}


def test_an_admission_of_somebody_unknown_is_told_to_nobody(world):
    assert world.take(admitted()) == []
    assert {(d.program, d.code) for d in world.denied} == {
        ("medical-aid", "deny.directory"),
        ("instant-settlement", "deny.directory"),
    }


def test_an_admission_on_roll_is_told_to_those_with_a_role(world):
    world.take(grant())
    told = world.take(admitted())
    assert programs(told) == {"medical-aid", "instant-settlement"}
    (medical,) = (c for c in told if c.program == "medical-aid")
    assert medical.groups["category"]["category"] == "DIBAO"
    assert medical.reason.rule == "TELL.health.hospitalized"
    assert medical.reason.facts == (medical.cause,)


def test_a_grant_reaches_the_rights_programs_as_referrals_only(world):
    world.take(enrolled())
    assert programs(world.take(grant())) == {"instant-settlement"}


def test_a_change_is_told_per_pupil_and_per_meter(world):
    world.take(enrolled())
    world.take(grant())
    change = fact(3, "category.changed", {"category": {"category": "TEKUN"}}, household=HOME)
    told = world.take(change)
    found = {(c.program, c.uid) for c in told}
    assert ("education-aid", CHILD) in found
    assert ("education-aid", A) not in found
    assert {("medical-aid", A), ("medical-aid", CHILD)} <= found
    (meter,) = (c for c in told if c.program == "electricity-relief")
    assert meter.groups["meter"] == {"meter_account": "M-A"}
    assert meter.type == "referral.review_requested"
    (pupil,) = (c for c in told if c.program == "education-aid")
    assert pupil.type == "referral.review_requested"
    assert pupil.groups["school"]["student_no"] == "S-1"
    assert len({(c.program, c.ordinal) for c in told}) == len(told)


def test_a_parents_death_is_not_told_to_the_school_and_nameless_to_the_power_company(world):
    world.take(enrolled())
    world.take(grant())
    died = fact(4, "person.died", {"life": {"life_status": "died", "status": "confirmed"}})
    told = world.take(died)
    assert "education-aid" not in programs(told)
    assert {"dibao", "medical-aid", "electricity-relief"} <= programs(told)
    (meter,) = (c for c in told if c.program == "electricity-relief")
    assert meter.type == "referral.review_requested"


def test_a_reported_death_is_told_to_nobody(world):
    world.take(grant())
    reported = fact(4, "person.died", {"life": {"life_status": "died", "status": "reported"}})
    assert world.take(reported) == []


def test_an_annulment_reaches_whoever_was_told_though_the_role_has_ended(world):
    world.take(grant())
    original = admitted()
    world.take(original)
    for interest in list(world.state.interests[A].values()):
        ended = Interest(A, interest.program, interest.valid_from, HOME, interest.valid_from)
        world.state.put(ended)
    annulled = admitted(6, lifecycle="annulled", replaces=original.event_id, effective_from=DAY + 5)
    told = world.take(annulled)
    assert programs(told) == {"medical-aid", "instant-settlement"}
    assert {c.replaces for c in told} == {original.event_id}
    assert {c.lifecycle for c in told} == {"annulled"}


def test_a_correction_of_a_correction_reaches_the_same_receivers(world):
    world.take(grant())
    world.take(admitted(5))
    world.take(admitted(6, lifecycle="corrected", replaces=admitted(5).event_id))
    told = world.take(admitted(7, lifecycle="corrected", replaces=admitted(6).event_id))
    assert programs(told) == {"medical-aid", "instant-settlement"}
    assert {c.replaces for c in told} == {admitted(6).event_id}


def test_an_original_after_its_annulment_stays_silent(world):
    world.take(grant())
    world.take(admitted(6, lifecycle="annulled", replaces=admitted(5).event_id))
    assert world.take(admitted(5)) == []


def test_a_correction_before_its_original_is_told_as_new(world):
    world.take(grant())
    told = world.take(admitted(6, lifecycle="corrected", replaces=admitted(5).event_id))
    assert {(c.lifecycle, c.replaces) for c in told} == {("created", None)}
    assert world.take(admitted(5)) == []


def test_a_retraction_without_a_reference_reaches_whoever_learned_of_the_death(world):
    world.take(grant())
    died = fact(4, "person.died", {"life": {"life_status": "died", "status": "confirmed"}})
    told = programs(world.take(died))
    back = world.take(fact(5, "person.death_retracted", {}))
    assert programs(back) == told
    assert {c.replaces for c in back} == {died.event_id}
    assert {c.lifecycle for c in back} == {"annulled"}


def test_a_sender_outside_the_agreement_is_denied_and_told_so(world):
    world.take(grant())
    assert "medical-aid" not in programs(
        world.take(admitted(source="village", jurisdiction="320681"))
    )
    assert ("medical-aid", "deny.area") in {(d.program, d.code) for d in world.denied}


def test_a_list_row_opens_a_case_about_somebody_unknown(world):
    groups = {"list": {"list_ref": "L", "row_no": 1, "rows_total": 1}}
    told = world.take(fact(1, "poverty.relapsed", groups, source="poverty-alleviation"))
    assert programs(told) == {"poverty-backstop", "dibao", "tekun"}


def test_every_told_copy_can_be_made(world, copies, ctx):
    world.take(enrolled())
    world.take(grant())
    world.take(admitted())
    world.take(fact(6, "category.changed", {"category": {"category": "TEKUN"}}, household=HOME))
    rows = [row for copy in world.told for row in copies.make(copy, ctx)]
    assert len(rows) == len(world.told) == len({row.copy_id for row in rows})
