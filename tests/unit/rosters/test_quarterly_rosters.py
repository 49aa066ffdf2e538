"""The quarter of the four recipients: deltas, referrals, stop notices, snapshots, receipts."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import fact, first_quarter, first_quarter_facts


def settle(world):
    return world.at("2025-04-01T00:00:00")


def test_a_quarter_gives_eleven_deltas_four_referrals_two_stop_notices_and_four_snapshots():
    world = settle(first_quarter().send(*first_quarter_facts()))
    assert world.counts("roster.delta") == {
        "poverty-alleviation": 4,
        "medical-insurance": 4,
        "education": 1,
        "power-supply": 2,
    }
    assert world.counts("referral.created") == {
        "medical-aid": 2,
        "education-aid": 1,
        "electricity-relief": 1,
    }
    stops = world.copies("referral.stop_notified")
    assert {copy.program for copy in stops} == {"medical-aid", "electricity-relief"}
    assert len(stops) == 2
    assert {copy.decision_id for copy in stops} == {"D-B"}
    manifests = {c.program: c.body["roster"]["rows"] for c in world.copies("roster.snapshot")}
    assert manifests == {
        "poverty-alleviation": 4,
        "medical-insurance": 4,
        "education": 1,
        "power-supply": 3,
    }
    assert len(world.copies("roster.snapshot")) == 4
    assert not world.copies("reconciliation.mismatch")
    assert not world.copies("referral.review_requested")
    assert not world.copies("task.opened")


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_of_the_quarter_does_not_matter(order):
    facts = first_quarter_facts()
    straight = settle(first_quarter().send(*facts))
    mixed = settle(first_quarter().send(*(facts[place] for place in order)))
    assert mixed.ledger() == straight.ledger()
    assert mixed.roster() == straight.roster()
    for kind in ("roster.delta", "referral.created", "referral.stop_notified", "roster.snapshot"):
        assert mixed.counts(kind) == straight.counts(kind)


@given(st.permutations([0, 1, 2, 3] * 2))
@settings(max_examples=60, deadline=None)
def test_reading_everything_twice_in_any_order_changes_nothing(order):
    facts = first_quarter_facts()
    straight = settle(first_quarter().send(*facts))
    twice = settle(first_quarter().send(*(facts[place] for place in order)))
    assert twice.ledger() == straight.ledger()
    assert twice.counts("roster.delta") == straight.counts("roster.delta")
    assert twice.counts("referral.created") == straight.counts("referral.created")
    assert twice.counts("referral.stop_notified") == straight.counts("referral.stop_notified")


def test_a_second_close_of_the_same_quarter_sends_nothing():
    world = first_quarter().send(*first_quarter_facts())
    timers = dict(world.timers)
    settle(world)
    sent = len(world.effects)
    world.timers = {key: timer for key, timer in timers.items() if key.startswith("roster:")}
    settle(world)
    assert len(world.effects) == sent


def test_no_row_holds_a_column_that_was_not_granted():
    world = settle(first_quarter().send(*first_quarter_facts()))
    power = world.state.rosters["power-supply"]["M-A"].fields
    assert power == {
        "meter": {"meter_account": "M-A"},
        "category": {"category": "DIBAO", "effective_from_month": "2025-02"},
    }
    pupils = [row for row in world.state.rosters["education"].values() if row.present]
    assert [set(row.fields) for row in pupils] == [{"school", "category"}]


def receipt(world, recipient, digest=None, rows=None, differing=(), version="1"):
    sent = world.copies("roster.snapshot", recipient)[-1].body["roster"]
    return fact(
        "roster.receipt",
        f"r-{recipient}",
        "2025-04-01",
        source=recipient,
        version=version,
        groups={
            "reply": {
                "snapshot_id": sent["snapshot_id"],
                "rows": sent["rows"] if rows is None else rows,
                "digest": digest or sent["digest"],
                "differing": list(differing),
            }
        },
    )


def test_a_lost_delta_is_one_mismatch_that_names_recipient_and_person_and_closes_on_a_resend():
    world = settle(first_quarter().send(*first_quarter_facts()))
    lost = next(c for c in world.copies("roster.delta", "medical-insurance") if c.uid)
    key = lost.body["roster"]["row_key"]
    world.send(receipt(world, "medical-insurance", digest="other", rows=3, differing=[key]))
    (mismatch,) = world.copies("reconciliation.mismatch")
    assert mismatch.uid == lost.uid
    assert mismatch.body["notice"]["receiver"] == "medical-insurance"
    assert mismatch.body["notice"]["rows"] == [key]
    first, second = world.copies("roster.snapshot", "medical-insurance")
    assert first.body == second.body
    assert first.ordinal != second.ordinal
    world.send(receipt(world, "medical-insurance", version="2"))
    (snapshot,) = [r for k, r in world.state.rosters["medical-insurance"].items() if ":" in k]
    assert snapshot.fields["snapshot"]["state"] == "matched"
    assert len(world.copies("reconciliation.mismatch")) == 1
