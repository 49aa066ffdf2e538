"""The backstop and relapse list: cases, tasks, answers, and referrals after the grant."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import listed, poor_list, poor_list_facts


def outcomes(copy):
    return {row["row_no"]: row["outcome"] for row in copy.body["disposition"]["rows"]}


def test_five_rows_give_two_cases_one_task_and_one_answer_and_the_decision_six_referrals():
    world = poor_list()
    *rows, decision = poor_list_facts()
    world.send(*rows)
    assert len(world.copies("case.opened")) == 2
    assert [t.kind for t in world.state.tasks.values()] == ["alive_conflict"]
    (first,) = world.copies("poverty.disposition_returned")
    assert outcomes(first) == {
        1: "case_opened",
        2: "already_covered",
        3: "case_opened",
        4: "alive_conflict",
        5: "record_rejected",
    }
    assert not world.copies("referral.created")
    world.send(decision)
    update = world.copies("poverty.disposition_returned")[1]
    assert update.body["disposition"]["rows"][0]["category"] == "DIBAO"
    assert outcomes(update) == {1: "granted"}
    assert len(world.copies("poverty.disposition_returned")) == 2
    assert world.counts("referral.created") == {
        "medical-aid": 2,
        "education-aid": 1,
        "housing-aid": 1,
        "charity-housing": 1,
        "electricity-relief": 1,
    }
    housing = [c for c in world.copies("referral.created") if "housing" in c.program]
    assert len({copy.correlation for copy in housing}) == 1
    assert [c.state for c in world.state.cases.values()].count("open") == 1
    assert not world.copies("referral.stop_notified")


@given(st.permutations([0, 1, 2, 3, 4, 5] * 2))
@settings(max_examples=80, deadline=None)
def test_rows_and_decision_in_any_order_and_twice_give_the_same_ledger_and_dispositions(order):
    facts = poor_list_facts()
    straight = poor_list().send(*facts)
    mixed = poor_list().send(*(facts[place] for place in order))
    assert mixed.ledger() == straight.ledger()
    assert _rows(mixed) == _rows(straight)
    assert {c.state for c in mixed.state.cases.values()} == {"open", "closed"}
    assert set(mixed.state.cases) == set(straight.state.cases)
    assert set(mixed.state.tasks) == set(straight.state.tasks)
    assert len(mixed.copies("referral.created")) == 6


def _rows(world):
    return {
        (row.row_no, row.disposition, row.detail)
        for rows in world.state.lists.values()
        for row in rows.values()
    }


def test_every_order_of_the_rows_gives_one_answer():
    *rows, _ = poor_list_facts()
    for order in permutations(rows):
        world = poor_list().send(*order)
        assert len(world.copies("poverty.disposition_returned")) == 1
        assert len(world.copies("case.opened")) == 2


def test_the_same_rows_under_other_event_ids_open_no_further_case():
    *rows, _ = poor_list_facts()
    world = poor_list().send(*rows)
    world.send(listed("P1", 1, home="HP1", key="other-file/1"), listed("P3", 3, key="other-file/3"))
    assert len(world.copies("case.opened")) == 2
    assert len(world.state.cases) == 2


def test_a_corrected_row_opens_its_case():
    *rows, _ = poor_list_facts()
    world = poor_list().send(*rows).send(listed("P5", 5))
    assert len(world.copies("case.opened")) == 3
    assert outcomes(world.copies("poverty.disposition_returned")[-1]) == {5: "case_opened"}


def test_a_sound_house_gives_four_referrals():
    world = poor_list(grade="A").send(*poor_list_facts())
    assert len(world.copies("referral.created")) == 4
