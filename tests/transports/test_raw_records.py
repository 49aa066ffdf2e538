"""Raw records: ids that repeat, keys that tell nothing, bodies untouched."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel.clocks import SystemClock
from hub.kernel.person_keys import RouteKey
from hub.transports.records import Feed, RecordMaker, key_text

FEED = Feed("test", "/gov/320682/test", "item", "in.test.item", ("id",), "", "who.id_number", 200)
ROUTE = RouteKey(bytes(range(32)))
MAKER = RecordMaker(FEED, ROUTE, SystemClock())
VERSIONED = RecordMaker(
    Feed("test", "/gov/320682/test", "item", "in.test.item", ("id", "part"), "v"),
    ROUTE,
    SystemClock(),
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.dictionaries(TEXT, TEXT | st.none() | st.integers(-(2**53), 2**53), max_size=6))
def test_a_row_gets_one_id_whatever_the_order_of_its_columns(row):
    turned = dict(reversed(row.items()))
    one, other = MAKER.of_row(row), MAKER.of_row(turned)
    assert (one.event_id, one.key, one.digest) == (other.event_id, other.key, other.digest)
    if not one.refused:
        assert one.value == other.value
        assert orjson.loads(one.value) == row


@given(st.binary(max_size=100))
def test_any_bytes_become_a_record_with_the_bytes_unchanged(body):
    record = MAKER.of_body(body)
    assert record.value == body
    assert len(record.key) == 16


def test_content_is_the_version_where_the_source_counts_none():
    assert MAKER.of_row({"id": 1, "a": 1}).event_id != MAKER.of_row({"id": 1, "a": 2}).event_id


def test_one_version_has_one_id_and_a_digest_that_tells_other_content():
    one = VERSIONED.of_row({"id": 1, "part": "a", "v": 3, "x": 1})
    other = VERSIONED.of_row({"id": 1, "part": "a", "v": 3, "x": 2})
    assert one.event_id == other.event_id
    assert one.digest != other.digest


def test_parts_of_a_key_never_run_together():
    assert key_text({"a": "1", "b": "12"}, ("a", "b")) != key_text(
        {"a": "11", "b": "2"}, ("a", "b")
    )
    assert key_text({"a": "1"}, ("a", "b")) == ""


@pytest.mark.parametrize(
    "number", ["99068219520101103X", " 99068219520101103x", "９９０68219520101103X"]
)
def test_every_spelling_of_a_number_has_one_routing_key(number):
    record = MAKER.of_row({"id": 1, "who": {"id_number": number}})
    assert record.key == ROUTE.route("99068219520101103X")


def test_the_old_number_of_a_person_shares_the_key_of_the_new_one():
    record = MAKER.of_row({"id": 1, "who": {"id_number": "110105491231002"}})
    assert record.key == ROUTE.route("11010519491231002X")


def test_a_record_without_person_is_keyed_by_its_source_and_key():
    assert MAKER.of_row({"id": 1}).key == ROUTE.fallback("/gov/320682/test", "1")
