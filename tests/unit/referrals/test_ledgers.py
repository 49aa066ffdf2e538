"""The ledger: one referral per program, subject and episode; reviews are not stops."""

import pytest
from worlds import (
    day,
    decision,
    ended,
    fact,
    first_quarter,
    granted,
    member,
    poor_list,
    poor_list_facts,
    uid,
)

from hub.model.decisions import Deliver
from hub.referrals.replies import matter_is_open


def reply(row, kind, version="1", **more):
    return fact(
        kind,
        f"{row.id}:{kind}",
        "2025-03-10",
        source=row.program,
        version=version,
        groups={"reply": {"referral_id": row.id, "handler": "H-1", **more}},
    )


def rows(world, program):
    return [row for row in world.state.referrals.values() if row.program == program]


def test_a_late_earlier_grant_keeps_the_id_and_opens_no_second_referral():
    world = first_quarter().send(granted("g1", "2025-02-10", "HA"))
    before = {row.id for row in world.state.referrals.values()}
    world.send(granted("g0", "2025-01-15", "HA"))
    assert {row.id for row in world.state.referrals.values()} == before
    (school,) = rows(world, "education-aid")
    assert school.spell_from == day("2025-01-15")
    assert len(world.copies("referral.created")) == 4


def test_dibao_to_tekun_without_a_gap_is_one_spell():
    world = first_quarter().send(
        granted("g1", "2025-02-10", "HA"),
        decision("d", "2025-02-20", "D-1"),
        ended("e1", "2025-03-01", "HA", decision="D-1"),
        granted("g2", "2025-03-01", "HA", category="TEKUN"),
    )
    assert len(world.copies("referral.created")) == 4
    stops = world.copies("referral.stop_notified")
    assert all(copy.lifecycle == "created" for copy in stops[:4])
    assert all(
        row.stop_state is None for row in world.state.referrals.values() if row.household == "HA"
    )


def test_a_second_spell_after_a_gap_is_a_second_referral():
    world = first_quarter().send(
        granted("g1", "2025-02-10", "HA"),
        decision("d", "2025-02-20", "D-1"),
        ended("e1", "2025-03-01", "HA", decision="D-1"),
        granted("g2", "2025-03-20", "HA"),
    )
    assert len(world.copies("referral.created")) == 8


def test_a_pupil_who_leaves_school_is_reviewed_not_stopped():
    world = first_quarter().send(
        granted("g", "2025-02-10", "HA"),
        fact(
            "education.left",
            "l",
            "2025-03-01",
            who="A2",
            source="education",
            groups={"school": {"school": "x"}},
        ),
    )
    (review,) = world.copies("referral.review_requested")
    assert review.program == "education-aid"
    assert not world.copies("referral.stop_notified")


def test_a_member_who_leaves_is_reviewed_not_stopped():
    gone = member("A2", valid_from=day("2024-06-01"), valid_to=day("2025-03-01"))
    world = first_quarter().send(
        granted("g", "2025-02-10", "HA"),
        fact(
            "household.changed",
            "hc",
            "2025-03-01",
            home="HA",
            groups={"household": {"members": [gone]}},
        ),
    )
    assert {c.program for c in world.copies("referral.review_requested")} == {
        "medical-aid",
        "education-aid",
    }
    assert not world.copies("referral.stop_notified")
    removed = [c for c in world.copies("roster.delta") if c.body["roster"]["op"] == "removed"]
    assert {c.uid for c in removed} == {uid("A2")}


def test_a_single_persons_allowance_covers_that_person_and_the_households_meter():
    world = first_quarter().send(granted("g", "2025-02-10", "HA", who="A", scope="single_person"))
    assert {(c.program, c.uid) for c in world.copies("referral.created")} == {
        ("medical-aid", uid("A")),
        ("electricity-relief", None),
    }


def test_a_house_assessed_after_the_grant_gives_both_payers_one_matter():
    world = poor_list(grade="A").send(*poor_list_facts())
    world.send(
        fact(
            "housing.danger_assessed",
            "h2",
            "2025-06-01",
            home="HP1",
            source="housing",
            groups={"house": {"house_ref": "F-1", "danger_grade": "D"}},
        )
    )
    both = [*rows(world, "housing-aid"), *rows(world, "charity-housing")]
    assert len({row.correlation for row in both}) == 1
    first, second = both
    world.send(reply(first, "referral.accepted"), reply(first, "referral.completed"))
    now = [world.state.referrals[row.id] for row in both]
    assert matter_is_open(row.state for row in now)
    world.send(reply(second, "referral.completed"))
    assert not matter_is_open(world.state.referrals[row.id].state for row in both)


@pytest.mark.parametrize(
    ("kinds", "state", "reason"),
    [
        (("referral.accepted",), "accepted", None),
        (("referral.accepted", "referral.completed"), "closed", "completed"),
        (("referral.completed", "referral.accepted"), "closed", "completed"),
        (("referral.rejected",), "closed", "rejected"),
    ],
)
def test_replies_move_a_referral_and_a_repeat_does_not(kinds, state, reason):
    world = first_quarter().send(granted("g", "2025-02-10", "HA"))
    row = rows(world, "education-aid")[-1]
    for kind in (*kinds, *kinds):
        world.send(reply(row, kind))
    after = world.state.referrals[row.id]
    assert (after.state, after.closed_reason) == (state, reason)


def test_acceptance_makes_the_role_definitive_and_releases_details():
    world = first_quarter().send(granted("g", "2025-02-10", "HA"))
    row = rows(world, "education-aid")[-1]
    world.send(reply(row, "referral.accepted"))
    (interest,) = [
        i for i in world.state.interests[uid("A2")].values() if i.program == "education-aid"
    ]
    assert interest.quality == "definitive"
    (details,) = world.copies("referral.details_released")
    assert details.groups["school"]["student_no"] == "N-2"


def test_a_rejected_referral_gets_no_stop_notice():
    world = first_quarter().send(granted("g", "2025-02-10", "HA"))
    row = rows(world, "education-aid")[-1]
    world.send(
        reply(row, "referral.rejected"),
        decision("d", "2025-02-20", "D-1"),
        ended("e1", "2025-03-01", "HA", decision="D-1"),
    )
    assert world.counts("referral.stop_notified") == {"medical-aid": 2, "electricity-relief": 1}


def test_a_stop_answer_closes_the_role():
    world = first_quarter().send(
        decision("d", "2025-03-04", "D-B", who="B"),
        ended("e", "2025-03-05", "H-B", who="B", decision="D-B"),
    )
    row = next(r for r in rows(world, "medical-aid") if r.uid == uid("B"))
    world.send(reply(row, "referral.stop_answered", answer="stopped"))
    after = world.state.referrals[row.id]
    assert (after.state, after.stop_state) == ("closed", "answered")
    assert {
        i.quality for i in world.state.interests[uid("B")].values() if i.program == "medical-aid"
    } == {"historical"}


def test_another_program_cannot_answer():
    world = first_quarter().send(granted("g", "2025-02-10", "HA"))
    row = rows(world, "education-aid")[-1]
    answer = reply(row, "referral.accepted")
    answer.source = "medical-aid"
    world.send(answer)
    assert world.state.referrals[row.id].state == "created"


def test_a_lost_job_is_one_referral_and_a_new_job_of_somebody_on_roll_a_task():
    def job(kind, on):
        return fact(kind, f"j-{on}", on, who="C", source="hrss", groups={"job": {"status": "x"}})

    world = first_quarter().send(
        job("employment.lost", "2025-01-10"), job("employment.lost", "2025-01-12")
    )
    assert world.counts("referral.created") == {"employment-aid": 1}
    world.send(job("employment.started", "2025-02-10"))
    assert [c.body["task"]["kind"] for c in world.copies("task.opened")] == [
        "household_reassessment"
    ]
    assert world.counts("referral.review_requested") == {"employment-aid": 1}
    assert not world.copies("roster.delta")


def test_a_household_without_a_meter_is_asked_for_once():
    world = first_quarter().send(
        granted("g", "2025-02-10", "HX", who="X"), granted("g2", "2025-02-12", "HX", who="X")
    )
    assert world.counts("electricity.match_requested") == {"electricity-relief": 1}


def test_every_copy_names_cause_rule_and_version():
    world = first_quarter().send(granted("g", "2025-02-10", "HA"))
    copies = [e for e in world.effects if isinstance(e, Deliver)]
    assert copies
    assert all(c.cause and c.reason.rule and c.reason.version for c in copies)


def test_a_spell_that_fills_a_gap_leaves_one_referral_and_closes_the_other_as_superseded():
    world = first_quarter().send(
        granted("g1", "2025-01-10", "HA"),
        decision("d", "2025-01-30", "D-1"),
        ended("e1", "2025-02-01", "HA", decision="D-1"),
        granted("g2", "2025-03-01", "HA"),
        granted("g3", "2025-02-01", "HA", category="TEKUN"),
    )
    school = sorted(
        (r for r in rows(world, "education-aid")), key=lambda row: row.closed_reason or ""
    )
    assert [row.closed_reason for row in school] == [None, "superseded"]
    assert not world.copies("referral.review_requested")
    assert {c.program for c in world.copies("referral.closed")} == {
        "medical-aid",
        "education-aid",
        "electricity-relief",
    }
