"""Facts fold by effective date: corrections, annulments, members, spells."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import World, day, fact, granted, listed, member, uid

from hub.model.facts import record
from hub.model.folding import death, segments, spells
from hub.model.households import person_on_roll, view_of, views
from hub.model.keys import keys
from hub.model.records import Household
from hub.model.states import Keys, Need, State

ROLL = frozenset({"DIBAO", "TEKUN"})


def versions():
    first = granted("g", "2025-02-10", "HA", who="A")
    second = granted(
        "g",
        "2025-02-12",
        "HA",
        who="A",
        version="2",
        lifecycle="corrected",
        replaces=first.event_id,
    )
    tenth = granted(
        "g",
        "2025-02-14",
        "HA",
        who="A",
        version="10",
        lifecycle="corrected",
        replaces=first.event_id,
    )
    return [first, second, tenth]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_several_corrections_the_highest_version_counts_in_any_order(order):
    events = versions()
    world = World().send(*(events[place] for place in order))
    (spell,) = view_of(world.state, "HA", ROLL).cover
    assert (spell.start, spell.episode) == (day("2025-02-14"), events[2].event_id)
    assert len([r for r in world.state.referrals.values() if r.program == "medical-aid"]) == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_annulment_outlives_an_original_and_a_correction_that_come_late(order):
    events = [*versions()[:2]]
    events.append(
        fact(
            "education.enrolled",
            "e",
            "2025-01-01",
            who="A",
            source="education",
            groups={"school": {"school": "x"}},
        )
    )
    first = events[2]
    events[0] = fact(
        "education.enrolled",
        "e",
        "2025-01-02",
        who="A",
        source="education",
        version="2",
        lifecycle="corrected",
        replaces=first.event_id,
        groups={"school": {"school": "y"}},
    )
    events[1] = fact(
        "education.enrolled",
        "e",
        "2025-01-02",
        who="A",
        source="education",
        version="3",
        lifecycle="annulled",
        replaces=first.event_id,
    )
    world = World().send(*(events[place] for place in order))
    facts = world.state.persons[uid("A")].facts
    assert all(f.void_by for f in facts if f.type == "education.enrolled")


def test_a_change_does_not_move_the_start_of_a_spell():
    change = fact(
        "category.changed",
        "c",
        "2025-03-01",
        home="HA",
        who="A",
        groups={"category": {"category": "DIBAO", "effective_from": day("2025-03-01")}},
    )
    world = World().send(granted("g", "2025-02-10", "HA", who="A"), change)
    (spell,) = view_of(world.state, "HA", ROLL).cover
    assert (spell.start, spell.last.start) == (day("2025-02-10"), day("2025-02-10"))


def test_one_person_out_of_the_households_state_leaves_the_others_in_it():
    members = {"household": {"members": [member("A"), member("A2")]}}
    world = World().send(
        fact("household.changed", "h", "2024-01-01", home="HA", groups=members),
        granted("g", "2025-02-10", "HA"),
        fact(
            "decision.recorded",
            "d",
            "2025-02-15",
            who="A2",
            groups={"decision": {"decision_id": "D", "power": "approve", "person": "S"}},
        ),
        fact(
            "category.ended",
            "e",
            "2025-03-01",
            home="HA",
            who="A2",
            decision_id="D",
            groups={"category": {"category": "DIBAO", "scope": "single_person"}},
        ),
    )
    assert person_on_roll(world.state, uid("A"), day("2025-03-02"), ROLL)
    assert person_on_roll(world.state, uid("A2"), day("2025-02-28"), ROLL)
    assert not person_on_roll(world.state, uid("A2"), day("2025-03-02"), ROLL)
    assert view_of(world.state, "HA", ROLL).cover[-1].end is None


def test_a_member_who_joins_later_starts_then_with_the_fact_of_joining():
    first = {"household": {"members": [member("A")]}}
    joined = fact(
        "household.changed",
        "h2",
        "2025-03-01",
        home="HA",
        groups={"household": {"members": [member("N")]}},
    )
    world = World().send(
        fact("household.changed", "h", "2024-01-01", home="HA", groups=first),
        granted("g", "2025-02-10", "HA"),
        joined,
    )
    spell = person_on_roll(world.state, uid("N"), day("2025-03-02"), ROLL)
    assert (spell.start, spell.episode) == (day("2025-03-01"), joined.event_id)


def test_a_retracted_death_does_not_stand():
    died = fact("person.died", "x", "2025-03-01", who="A", groups={"life": {"status": "reported"}})
    sure = fact(
        "person.died",
        "x",
        "2025-03-01",
        who="A",
        version="2",
        groups={"life": {"status": "confirmed"}},
    )
    back = fact("person.death_retracted", "y", "2025-03-05", who="A")
    for order in permutations((died, sure)):
        world = World().send(*order)
        assert death(world.state.persons[uid("A")].facts).data["life"]["status"] == "confirmed"
        world.send(back)
        assert death(world.state.persons[uid("A")].facts) is None


@given(st.permutations(range(5)))
def test_states_that_touch_are_one_spell_and_those_with_a_gap_two(order):
    events = [
        granted("g1", "2025-01-01", "HA", who="A"),
        fact(
            "category.ended",
            "e1",
            "2025-02-01",
            home="HA",
            who="A",
            groups={"category": {"category": "DIBAO"}},
        ),
        granted("g2", "2025-02-01", "HA", category="TEKUN", who="A"),
        fact(
            "category.ended",
            "e2",
            "2025-03-01",
            home="HA",
            who="A",
            groups={"category": {"category": "TEKUN"}},
        ),
        granted("g3", "2025-03-02", "HA", who="A"),
    ]
    world = World()
    for event in events:
        event.decision_id = "D"
    world.send(
        fact(
            "decision.recorded",
            "d",
            "2024-12-30",
            groups={"decision": {"decision_id": "D", "power": "approve", "person": "S"}},
        )
    )
    world.send(*(events[place] for place in order))
    found = spells(segments(world.state.households["HA"].facts, single=False), ROLL)
    assert [(s.start, s.end) for s in found] == [
        (day("2025-01-01"), day("2025-03-01")),
        (day("2025-03-02"), None),
    ]


def test_a_decider_asks_for_what_was_not_loaded():
    with pytest.raises(Need) as asked:
        record(State(), granted("g", "2025-02-10", "HA"), World().ctx)
    assert asked.value.keys.households == {"HA"}
    state = State()
    state.put(Household("HA", [], [uid("A")]))
    state.loaded = Keys(households=frozenset({"HA"}))
    with pytest.raises(Need) as asked:
        view_of(state, "HA", ROLL)
    assert asked.value.keys.uids == {uid("A")}


def test_an_event_of_somebody_unknown_leaves_no_record():
    world = World().send(
        fact(
            "health.hospitalized",
            "h",
            "2025-02-01",
            who="Q",
            source="health",
            groups={"stay": {"hospital": "x"}},
        )
    )
    assert not world.state.persons
    assert not world.effects


def test_keys_name_everything_an_event_touches():
    assert keys(listed("P1", 1)).lists == {("poverty-alleviation", "L-2025-05")}
    change = fact(
        "household.changed",
        "h",
        "2025-01-01",
        home="H",
        groups={"household": {"members": [member("A")]}},
    )
    assert keys(change).uids == {uid("A")}
    assert keys(change).households == {"H"}
    house = fact("housing.danger_assessed", "d", "2025-01-01", groups={"house": {"house_ref": "F"}})
    assert keys(house).subjects == {"F"}
    reply = fact(
        "referral.accepted",
        "r",
        "2025-01-01",
        source="medical-aid",
        groups={"reply": {"referral_id": "R"}},
    )
    assert keys(reply).referrals == {"R"}
    receipt = fact("roster.receipt", "r", "2025-01-01", source="education", groups={"reply": {}})
    assert keys(receipt).recipients == {"education"}
    timer = fact(
        "timer.decision_overdue", "t", "2025-01-01", groups={"timer": {"decision_id": "D"}}
    )
    assert keys(timer).decisions == {"D"}


def test_views_are_made_anew_once_a_person_or_household_has_changed():
    world = World()
    event = granted("g", "2025-02-10", "HA", who="A")
    assert [view.cover for view in views(world.state, event, ROLL)] == [[]]
    world.state.apply(record(world.state, event, world.ctx).changes)
    (view,) = views(world.state, event, ROLL)
    assert [spell.episode for spell in view.cover] == [event.event_id]
    assert views(world.state, event, ROLL)[0] is view
