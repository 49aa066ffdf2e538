"""Nothing ends, stops or is lowered without the decision of a named person with the power."""

from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import day, decision, ended, fact, first_quarter, granted


def test_an_end_without_a_decision_is_a_dead_letter_and_a_violation_and_changes_nothing():
    world = first_quarter()
    before = world.ledger(), world.roster()
    world.send(ended("e", "2025-03-05", "H-B", who="B", decision=None))
    assert [letter.code for letter in world.dead()] == ["E-EFFECT-WITHOUT-DECISION"]
    assert world.counts("audit.violation") == {"civil-affairs": 1}
    assert (world.ledger(), world.roster()) == before


def test_an_end_waits_for_its_decision_and_goes_on_when_it_comes():
    world = first_quarter().send(ended("e", "2025-03-05", "H-B", who="B", decision="D-B"))
    assert not world.copies("referral.stop_notified")
    assert world.state.decisions["D-B"].state == "awaited"
    world.send(decision("d", "2025-03-06", "D-B", who="B"))
    assert len(world.copies("referral.stop_notified")) == 2
    assert not [key for key in world.timers if key.startswith("decision:")]
    assert world.state.decisions["D-B"].parked == []


def test_a_decision_that_never_comes_is_a_violation_after_the_deadline_once():
    world = first_quarter().send(ended("e", "2025-03-05", "H-B", who="B", decision="D-B"))
    world.at("2025-03-07T00:00:00")
    assert not world.copies("audit.violation")
    world.at("2025-03-09T00:00:00")
    world.at("2025-03-10T00:00:00")
    assert len(world.copies("audit.violation")) == 1
    assert world.state.decisions["D-B"].state == "overdue"
    world.send(decision("d", "2025-03-11", "D-B", who="B"))
    assert len(world.copies("referral.stop_notified")) == 2


def test_a_decision_of_somebody_without_the_power_ends_nothing():
    for power, person in (("review", "S-1"), ("approve", None)):
        world = first_quarter()
        world.send(
            decision("d", "2025-03-04", "D-B", who="B", power=power, person=person),
            ended("e", "2025-03-05", "H-B", who="B", decision="D-B"),
        )
        assert world.dead()
        assert not world.copies("referral.stop_notified")
        assert not world.copies("roster.delta")


def test_a_lower_amount_needs_a_decision_and_a_higher_one_does_not():
    def change(before, after):
        return fact(
            "category.changed",
            f"a-{after}",
            "2025-03-01",
            home="H-B",
            who="B",
            groups={
                "category": {"category": "DIBAO"},
                "change": {"item": "amount", "before": before, "after": after},
            },
        )

    assert not first_quarter().send(change("500.00", "520.00")).dead()
    assert first_quarter().send(change("520.00", "500.00")).dead()
    assert first_quarter().send(change("520.00", "unknown")).dead()


def test_annulling_a_grant_needs_a_decision_and_then_asks_the_programs_to_review():
    grant = granted("g", "2025-02-10", "HA")
    annul = {"version": "2", "lifecycle": "annulled", "replaces": grant.event_id}
    world = first_quarter().send(grant, granted("g", "2025-02-10", "HA", **annul))
    assert world.dead()
    assert not world.copies("referral.review_requested")
    world.send(
        decision("d", "2025-02-20", "D-A"),
        granted("g", "2025-02-10", "HA", **{**annul, "version": "3"}, decision_id="D-A"),
    )
    assert len(world.copies("referral.review_requested")) == 4
    assert not world.copies("referral.stop_notified")


def test_death_reports_end_nothing_and_a_confirmed_one_opens_a_task_once():
    def died(status, version):
        life = {"life_status": "died", "status": status, "died_on": day("2025-03-01")}
        return fact(
            "person.died",
            "x",
            "2025-03-02",
            who="B",
            source="police",
            version=version,
            groups={"life": life},
        )

    world = first_quarter().send(died("reported", "1"))
    assert not world.copies("task.opened")
    world.send(died("confirmed", "2"), died("confirmed", "2"))
    assert [copy.body["task"]["kind"] for copy in world.copies("task.opened")] == ["death_decision"]
    assert not world.copies("referral.stop_notified")
    assert not world.copies("roster.delta")


def test_a_decided_death_closes_the_persons_referrals_and_a_retraction_opens_them_again():
    world = first_quarter().send(decision("d", "2025-03-04", "D-X", who="B"))
    end = ended("e", "2025-03-05", "H-B", who="B", category="DECEASED", decision="D-X")
    world.send(end)
    rows = {row.program: row for row in world.state.referrals.values() if row.household == "H-B"}
    assert rows["medical-aid"].closed_reason == "deceased"
    assert rows["electricity-relief"].stop_decision == "D-X"
    assert [copy.body["task"]["kind"] for copy in world.copies("task.opened")] == [
        "household_reassessment"
    ]
    back = ended(
        "e",
        "2025-03-05",
        "H-B",
        who="B",
        category="DECEASED",
        decision="D-X",
        version="2",
        lifecycle="annulled",
        replaces=end.event_id,
    )
    world.send(back)
    rows = {row.program: row for row in world.state.referrals.values() if row.household == "H-B"}
    assert (rows["medical-aid"].state, rows["medical-aid"].closed_reason) == ("served", None)
    assert rows["electricity-relief"].stop_decision is None


def test_somebody_whose_death_was_decided_before_a_grant_gets_no_referral():
    world = first_quarter().send(
        decision("d", "2025-01-04", "D-X", who="A"),
        ended("e", "2025-01-05", "HA", who="A", category="DECEASED", decision="D-X"),
        granted("g", "2025-02-10", "HA"),
    )
    assert {copy.uid for copy in world.copies("referral.created", "medical-aid")} == {
        b"A2".ljust(16, b".")
    }


@given(st.permutations(list(range(4)) * 2))
@settings(max_examples=40, deadline=None)
def test_a_grant_its_end_the_decision_and_an_earlier_grant_fold_alike_in_any_order(order):
    facts = [
        granted("g1", "2025-02-10", "HA"),
        decision("d", "2025-03-04", "D-A"),
        ended("e", "2025-03-05", "HA", decision="D-A"),
        granted("g0", "2025-01-20", "HA"),
    ]
    straight = first_quarter().send(*facts)
    mixed = first_quarter().send(*(facts[place] for place in order))
    mine = {row for row in mixed.ledger() if row[3] == facts[3].event_id}
    assert {row[:9] for row in mixed.ledger()} == {row[:9] for row in straight.ledger()}
    assert len(mine) == 4
    assert mixed.counts("referral.created") == straight.counts("referral.created")
    assert mixed.counts("referral.stop_notified") == straight.counts("referral.stop_notified")
