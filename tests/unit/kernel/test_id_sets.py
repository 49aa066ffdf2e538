from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel.id_sets import IdSet

IDS = st.binary(min_size=16, max_size=16) | st.sampled_from(
    [bytes(16), bytes(15) + b"\1", b"\1" * 16, b"\1\2" * 8, b"\2\1" * 8, b"\xff" * 16]
)


@given(st.lists(IDS, max_size=40), st.lists(IDS, max_size=40))
def test_it_answers_as_a_set_does(held, asked):
    found = IdSet([b"".join(held[:7]), b"".join(held[7:])])
    assert len(found) == len(held)
    assert all(one in found for one in held)
    assert [one in found for one in asked] == [one in set(held) for one in asked]


def test_bytes_that_lie_across_two_neighbours_are_no_member():
    found = IdSet([bytes(16) + bytes(8) + b"\1" * 8, bytes(2) + b"\2" * 14])
    assert bytes(8) + bytes(8) in found
    assert bytes(4) + bytes(8) + b"\1" * 4 not in found
    assert b"" not in found
    assert bytes(15) not in found


def test_a_piece_that_ends_within_an_id_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        IdSet([bytes(17)])


def test_a_million_ids_take_about_their_own_bytes():
    block = b"".join(number.to_bytes(16, "big") for number in range(7, 7 + 50_000))
    found = IdSet([block])
    held = [getattr(found, name) for name in IdSet.__slots__]
    assert sum(one.__sizeof__() for one in held) < len(block) + 600_000
