"""Event ids: the standard library's UUIDv5, and no two facts with one id."""

from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel import event_ids
from hub.kernel.errors import DataError
from hub.kernel.event_ids import CopyIds, EventIds, copy_id, hub_event_id, joined, three_joined
from hub.kernel.macs import Mac

texts = st.text(max_size=25)
SOURCE = "/gov/320682/medical-insurance"
IDS = EventIds(SOURCE)


@given(texts, texts, texts)
def test_an_event_id_is_the_uuid5_of_its_parts(record_key, event_type, version):
    namespace = uuid5(event_ids.SOURCES, SOURCE)
    expected = uuid5(namespace, joined(record_key, event_type, version))
    assert IDS.of(record_key, event_type, version) == str(expected)


def split(text, parts):
    found = []
    for _ in range(parts - 1):
        size, _, text = text.partition(":")
        found.append(text[: int(size)])
        text = text[int(size) :]
    return (*found, text)


@given(st.lists(texts, min_size=1, max_size=5))
def test_joined_parts_can_be_told_apart_again(parts):
    assert split(joined(*parts), len(parts)) == tuple(parts)


@given(texts, texts, texts)
def test_three_parts_are_joined_like_any_number_of_parts(first, second, last):
    assert three_joined(first, second, last) == joined(first, second, last)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "bc", "d"), ("ab", "c", "d")),
        (("1:a", "b", ""), ("", "1:ab", "")),
        (("", "", "0:"), ("0:", "", "")),
    ],
)
def test_parts_shifted_across_their_border_give_other_ids(one, other):
    assert IDS.of(*one) != IDS.of(*other)


def test_two_sources_never_share_an_id():
    assert IDS.of("a", "b", "1") != EventIds("/gov/320682/health").of("a", "b", "1")


def test_event_ids_never_change():
    assert IDS.of("H1-1", "health.hospitalized", "1") == "7d7bb2cd-7aed-55b9-9240-a2b450e33d72"
    assert (
        hub_event_id("7d7bb2cd-7aed-55b9-9240-a2b450e33d72", "S01-R1", 0)
        == "24fc22f7-5a4d-5405-81e1-ac9a30aee06e"
    )
    assert (
        copy_id(b"k" * 32, "electricity-relief", "7d7bb2cd-7aed-55b9-9240-a2b450e33d72")
        == "1f2935ec-99df-5a6f-96a8-7b8c9aecf0b2"
    )


def test_half_a_character_is_a_data_error():
    with pytest.raises(DataError, match="E-ENCODING"):
        IDS.of("\ud800", "b", "1")


def test_a_hub_event_depends_on_cause_rule_and_ordinal():
    cause = IDS.of("a", "b", "1")
    found = {
        hub_event_id(cause, "r", 0),
        hub_event_id(cause, "r", 1),
        hub_event_id(cause, "r1", 0),
        hub_event_id(IDS.of("a", "b", "2"), "r", 0),
    }
    assert len(found) == 4
    assert hub_event_id(cause.upper(), "r", 0) in found
    assert all(UUID(text).version == 5 for text in found)


@given(st.binary(min_size=16, max_size=64), texts, texts)
def test_a_copys_id_is_a_uuid5_over_a_keyed_mac(key, subscription, event_id):
    mac = Mac(key).digest(joined(subscription, event_id).encode()).hex()
    assert CopyIds(key).of(subscription, event_id) == str(uuid5(event_ids.COPIES, mac))


def test_copies_of_one_event_cannot_be_joined_without_the_key():
    event_id = IDS.of("a", "b", "1")
    assert (
        len({copy_id(key, name, event_id) for key in (b"k" * 32, b"j" * 32) for name in "ab"}) == 4
    )


@given(st.uuids())
def test_the_bytes_of_an_id_turn_into_its_text(value):
    assert event_ids.id_text(value.bytes) == str(value)
