from types import SimpleNamespace

from hub.runtime.suspicions import NONE, PORTION, cut, suspicion
from hub.store.attempts import STRETCH, portion_at
from hub.store.claims import Claim


def claim(offset, *, taken=None, there=1):
    at = offset if taken is None else taken
    return Claim("t", 0, 7, offset, taken_offset=at, taken_there=there)


def sizes_of(doubt, first, last):
    """Sizes of what is worked at once from one offset to another, and what is left."""
    records = [SimpleNamespace(offset=off) for off in range(first, last)]
    apart, rest = cut(records, doubt.portion)
    assert [one for part in apart for one in part] + rest == records
    return [len(part) for part in apart], len(rest)


def test_a_partition_whose_owners_got_on_is_worked_as_it_comes():
    assert suspicion(claim(10, taken=5, there=STRETCH - 1), (), 1000, 500) == NONE
    assert sizes_of(NONE, 10, 1000) == ([], 990)


def test_after_some_deaths_what_was_in_their_hands_runs_in_portions():
    doubt = suspicion(claim(10, there=STRETCH), (), 1000, 500)
    sizes, rest = sizes_of(doubt, 10, 1000)
    assert (sum(sizes), max(sizes), rest) == (500, PORTION, 490)


def test_a_portion_at_which_one_died_runs_record_by_record():
    doubt = suspicion(claim(10), {portion_at("t/0/10")}, 1000, 500)
    assert sizes_of(doubt, 10, 1000) == ([1] * PORTION, 990 - PORTION)


def test_behind_the_records_that_run_alone_the_portions_go_on():
    doubt = suspicion(claim(10, there=STRETCH), {"t/0/10"}, 1000, 500)
    sizes, rest = sizes_of(doubt, 10, 1000)
    assert sizes[: PORTION + 1] == [1] * PORTION + [PORTION]
    assert (sum(sizes), rest) == (500, 490)


def test_what_came_after_the_claim_was_taken_killed_nobody():
    doubt = suspicion(claim(10, there=STRETCH), {"t/0/10"}, 14, 500)
    assert sizes_of(doubt, 10, 100) == ([1] * 4, 86)


def test_offsets_that_were_never_written_make_a_portion_smaller_and_lose_nothing():
    doubt = suspicion(claim(10, there=STRETCH), (), 1000, 500)
    records = [SimpleNamespace(offset=off) for off in (*range(10, 40, 3), 300, 2000)]
    apart, rest = cut(records, doubt.portion)
    assert [[one.offset for one in part] for part in apart] == [[*range(10, 40, 3)], [300]]
    assert rest == records[-1:]
