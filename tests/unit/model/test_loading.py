"""Keys and Need bring everything a decision rests on: nothing depends on what else is loaded."""

from hypothesis import given, settings
from hypothesis import strategies as st
from lazy_worlds import LazyWorld
from worlds import first_quarter, first_quarter_facts, poor_list, poor_list_facts

KINDS = (
    "roster.delta",
    "roster.snapshot",
    "roster.part",
    "referral.created",
    "referral.stop_notified",
    "case.opened",
    "case.closed",
    "task.opened",
    "poverty.disposition_returned",
)


@given(st.permutations(range(4)))
@settings(max_examples=24, deadline=None)
def test_a_quarter_decided_with_nothing_but_what_was_asked_for_is_the_same(order):
    facts = [first_quarter_facts()[place] for place in order]
    full = first_quarter()
    lazy = LazyWorld(full)
    full = first_quarter().send(*facts).at("2025-04-01T00:00:00")
    lazy.send(*facts).at("2025-04-01T00:00:00").whole()
    assert lazy.ledger() == full.ledger()
    assert lazy.roster() == full.roster()
    for kind in KINDS:
        assert lazy.counts(kind) == full.counts(kind)


@given(st.permutations(list(range(6)) * 2))
@settings(max_examples=40, deadline=None)
def test_a_list_decided_with_nothing_but_what_was_asked_for_is_the_same(order):
    facts = [poor_list_facts()[place] for place in order]
    lazy = LazyWorld(poor_list())
    full = poor_list().send(*facts)
    lazy.send(*facts).whole()
    assert lazy.ledger() == full.ledger()
    for kind in KINDS:
        assert lazy.counts(kind) == full.counts(kind)
