from hub.runtime.suspicions import NONE, PORTION, portion_at, suspicion
from hub.store.attempts import STRETCH
from hub.store.claims import Claim


def claim(offset, *, taken=None, there=1):
    at = offset if taken is None else taken
    return Claim("t", 0, 7, offset, taken_offset=at, taken_there=there)


def cut(doubt, first, last):
    """Sizes of what is worked at once from one offset to another."""
    sizes = []
    while first < last and (size := doubt.portion(first)):
        sizes.append(size)
        first += size
    return sizes, last - first


def test_a_partition_whose_owners_got_on_is_worked_as_it_comes():
    assert suspicion(claim(10, taken=5, there=STRETCH - 1), (), 1000, 500) == NONE
    assert cut(NONE, 10, 1000) == ([], 990)


def test_after_some_deaths_what_was_in_their_hands_runs_in_portions():
    doubt = suspicion(claim(10, there=STRETCH), (), 1000, 500)
    sizes, rest = cut(doubt, 10, 1000)
    assert (sum(sizes), max(sizes), rest) == (500, PORTION, 490)


def test_a_portion_at_which_one_died_runs_record_by_record():
    doubt = suspicion(claim(10), {portion_at("t/0/10")}, 1000, 500)
    assert cut(doubt, 10, 1000) == ([1] * PORTION, 990 - PORTION)


def test_behind_the_records_that_run_alone_the_portions_go_on():
    doubt = suspicion(claim(10, there=STRETCH), {"t/0/10"}, 1000, 500)
    sizes, rest = cut(doubt, 10, 1000)
    assert sizes[: PORTION + 1] == [1] * PORTION + [PORTION]
    assert (sum(sizes), rest) == (500, 490)


def test_what_came_after_the_claim_was_taken_killed_nobody():
    doubt = suspicion(claim(10, there=STRETCH), {"t/0/10"}, 14, 500)
    assert cut(doubt, 10, 100) == ([1] * 4, 86)
