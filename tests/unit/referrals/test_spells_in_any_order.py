"""Several spells, their ends and decisions, in any order: the same ledger."""

from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import decision, ended, fact, first_quarter, granted, member


def spells():
    return [
        granted("g0", "2025-01-10", "HA"),
        ended("e0", "2025-02-01", "HA", decision="D0"),
        decision("d0", "2025-01-30", "D0"),
        granted("g1", "2025-03-01", "HA"),
        ended("e1", "2025-04-01", "HA", decision="D1"),
        decision("d1", "2025-03-30", "D1"),
        granted("g2", "2025-04-01", "HA", category="TEKUN"),
    ]


def essence(world):
    return sorted(
        (r.program, r.subject_ref, r.episode, r.spell_from, r.spell_to, r.stop_decision)
        for r in world.state.referrals.values()
        if r.household == "HA" and r.closed_reason != "superseded"
    )


@given(st.permutations(range(7)))
@settings(max_examples=80, deadline=None)
def test_two_spells_and_a_change_of_category_give_the_same_rows_in_any_order(order):
    straight = first_quarter().send(*spells())
    mixed = first_quarter().send(*(spells()[place] for place in order))
    assert essence(mixed) == essence(straight)
    assert mixed.roster() == straight.roster()


@given(st.permutations(range(5)))
@settings(max_examples=60, deadline=None)
def test_members_pupils_and_grants_give_the_same_rows_in_any_order(order):
    def facts():
        newcomer = {"household": {"members": [member("N")]}}
        return [
            granted("g0", "2025-01-10", "HA"),
            fact("household.changed", "h9", "2025-02-01", home="HA", groups=newcomer),
            fact("education.enrolled", "n", "2025-02-05", who="N", source="education", groups={"school": {"student_no": "N-3"}}),
            fact("electricity.meter_matched", "m9", "2025-02-05", home="HA", source="power-supply", groups={"meter": {"meter_account": "M-9"}}),
            fact("housing.danger_assessed", "f9", "2025-02-05", home="HA", source="housing", groups={"house": {"house_ref": "F-9", "danger_grade": "D"}}),
        ]  # fmt: skip

    straight = first_quarter().send(*facts())
    mixed = first_quarter().send(*(facts()[place] for place in order))
    assert essence(mixed) == essence(straight)
    assert mixed.counts("referral.created") == straight.counts("referral.created")
    assert mixed.roster() == straight.roster()
