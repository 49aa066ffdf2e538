from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.sdk.programs.sequences import Gap, Sequences


def missing(seen: Sequences) -> set[tuple[int, int]]:
    return {(g.generation, n) for g in seen.gaps for n in range(g.first, g.last + 1)}


@given(st.lists(st.integers(1, 40), max_size=60))
def test_a_gap_is_exactly_what_has_not_come(numbers):
    seen = Sequences()
    for number in numbers:
        seen.see(1, number)
    highest = max(numbers, default=0)
    assert missing(seen) == {(1, n) for n in range(1, highest + 1)} - {(1, n) for n in numbers}


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 9)), max_size=40))
def test_what_was_seen_survives_as_text(numbers):
    seen = Sequences()
    for generation, number in numbers:
        seen.see(generation, number)
    again = Sequences.of(seen.text())
    assert (again.generation, again.last, again.gaps) == (seen.generation, seen.last, seen.gaps)


def test_a_gap_is_told_when_it_opens_and_only_then():
    seen = Sequences(1, 4)
    assert seen.see(1, 5) is None
    assert seen.see(1, 9) == Gap(1, 6, 8)
    assert seen.see(1, 10) is None
    assert seen.see(1, 7) is None
    assert seen.gaps == (Gap(1, 6, 6), Gap(1, 8, 8))


def test_a_new_generation_begins_at_one():
    seen = Sequences(1, 4)
    assert seen.see(2, 1) is None
    assert seen.see(3, 2) == Gap(3, 1, 1)


def test_text_of_somebody_else_means_nothing_was_seen():
    assert Sequences.of("").last == 0
    assert Sequences.of('{"last": "x"}').last == 0
