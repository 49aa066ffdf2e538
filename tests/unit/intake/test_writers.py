"""Generated writers against the general way: the same record, or the same refusal, always."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_records import RECORDED

from hub.contracts.catalogues import catalogue
from hub.contracts.cloudevents import event_headers
from hub.contracts.codecs import decode_event, encode_event
from hub.contracts.declarations import read
from hub.contracts.digests import content_digest, list_head, map_head, pack, packed_digest
from hub.intake.compositions import ID
from hub.intake.normalisers import Rules, compile_item, compile_reading
from hub.intake.pipelines import compile_fused
from hub.intake.rehearsals import KEYS, Fixtures
from hub.intake.writers import Writers
from hub.kernel.divisions import Divisions
from hub.kernel.errors import DataError
from hub.kernel.settings import Settings
from hub.sdk.manifests import load_manifests
from hub.sdk.observations import Member, Observation, Original

SETTINGS = Settings(synthetic_people=True)
DIVISIONS = Divisions.load()
ITEMS = {
    item.topic: (manifest, item)
    for manifest in load_manifests().values()
    for item in manifest.items
}


def rows(topic):
    """The good examples of an item, as objects."""
    manifest, item = ITEMS[topic]
    good = read(manifest.folder / "fixtures" / f"{item.id}.yaml", Fixtures).good
    first = good[0].raw
    found = [{**(one.raw or first), **one.change} for one in good]
    for one, row in zip(good, found, strict=True):
        for name in one.remove:
            row.pop(name, None)
    return found


ROWS = {topic: rows(topic) for topic in ITEMS}
WRITERS = {
    topic: compile_fused(manifest, item, KEYS, SETTINGS, divisions=DIVISIONS)
    for topic, (manifest, item) in ITEMS.items()
}
ORACLES = {
    topic: compile_item(manifest, item, KEYS, SETTINGS, divisions=DIVISIONS)
    for topic, (manifest, item) in ITEMS.items()
}


def refused(error):
    return error.code, error.field, error.detail


def written(topic, value, recorded=RECORDED):
    try:
        return [(*one[:3], list(one[3])) for one in WRITERS[topic](value, recorded)]
    except DataError as error:
        return refused(error)


def told(topic, event):
    """Topic, key, value and headers of an event as the general codecs write them."""
    key = event.uid or KEYS.route.fallback(ITEMS[topic][1].source, event.source_record_key)
    topic = catalogue().event(event.type).topic
    return topic, key, encode_event(event), event_headers(event)


def expected(topic, value, recorded=RECORDED):
    try:
        return [told(topic, event) for event in ORACLES[topic](value, recorded)]
    except DataError as error:
        return refused(error)


@pytest.mark.parametrize("topic", sorted(ITEMS))
def test_every_example_is_written_as_the_general_way_writes_it(topic):
    for row in ROWS[topic]:
        value = msgspec.json.encode(row)
        for _ in range(2):
            assert written(topic, value) == expected(topic, value)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300)
JSON = SCALARS | st.lists(SCALARS, max_size=3)


@settings(max_examples=800, deadline=None)
@given(st.data())
def test_a_record_with_any_values_is_written_or_refused_as_the_general_way_does(data):
    topic = data.draw(st.sampled_from(sorted(ITEMS)))
    row = dict(data.draw(st.sampled_from(ROWS[topic])))
    for name in data.draw(st.lists(st.sampled_from(sorted(row)), min_size=1, max_size=3)):
        others = [one[name] for one in ROWS[topic] if name in one]
        row[name] = data.draw(st.sampled_from(others) | JSON)
    try:
        value = msgspec.json.encode(row)
    except (UnicodeEncodeError, OverflowError):
        return
    recorded = data.draw(st.just(RECORDED) | st.integers(-(1 << 50), 1 << 50))
    assert written(topic, value, recorded) == expected(topic, value, recorded)


@pytest.mark.parametrize("topic", sorted(ITEMS))
def test_only_records_with_members_need_the_general_way(topic):
    manifest, item = ITEMS[topic]
    rules = Rules(manifest, item, KEYS, SETTINGS, DIVISIONS)

    def general(found, version, recorded):
        assert found.members, found.type
        return told(topic, rules.judge(found, version, recorded))

    write = compile_reading(manifest, item, Writers(item, rules, KEYS, general).write)
    for row in ROWS[topic]:
        write(msgspec.json.encode(row), RECORDED)


def ways(topic="in.health.admissions"):
    """Writer and general way over observations that no shipped mapping makes; the count."""
    manifest, item = ITEMS[topic]
    rules = Rules(manifest, item, KEYS, SETTINGS, DIVISIONS)
    count = Counter()

    def general(found, version, recorded):
        count["general"] += 1
        return told(topic, rules.judge(found, version, recorded))

    return Writers(item, rules, KEYS, general).write, rules.judge, count


def stay(**more):
    fields = {
        "type": "health.hospitalized",
        "record_key": "H1/1",
        "occurred": 1_735_660_800_000,
        "id_number": "99068219520101103X",
        "groups": {"stay": {"hospital": "医院", "admitted_on": 20089, "local": True}},
    }
    return Observation(**{**fields, **more})


ODD = [
    {"id_number": None},
    {"name": ""},
    {"name": " 买买提 . 艾力 "},
    {"name": "王"},
    {"version": "7", "replaces": Original("H1/1", "health.hospitalized", "1")},
    {"household": "HH1", "decision_id": "D1", "evidence_ref": "E" * 200},
    {"observed": 1_735_660_800_123, "effective": 20000},
    {"observed": 1_735_660_800_000.0},
    {"correlation": "长" * 40, "record_key": "键" * 40},
    {"correlation": "x" * 5000},
    {"jurisdiction": "320682001"},
    {"occurred": -1},
    {"lifecycle": "annulled", "groups": {}},
    {"groups": {"stay": {"local": None}, "contact": {"phone": "1", "residence_address": None}}},
    {"groups": {"area": {"residence_area": "320682000000"}, "stay": {"hospital": "医院"}}},
    {"members": (Member(id_number="99068219520101103X"),), "groups": {"stay": {"local": True}}},
]


@pytest.mark.parametrize("more", ODD)
def test_attributes_no_shipped_mapping_sets_come_out_the_same(more):
    write, judge, _ = ways()

    def run(way):
        # Each way gets its own, as the general one sets the group of the person.
        found = stay(**{**more, "groups": {k: dict(v) for k, v in more.get("groups", {}).items()}})
        try:
            return way(found, "", RECORDED)
        except DataError as error:
            return refused(error)

    def general(found, version, recorded):
        return told("in.health.admissions", judge(found, version, recorded))

    assert run(write) == run(general)


def test_a_number_no_digest_can_hold_is_bad_data_and_no_crash():
    write, _, _ = ways()
    with pytest.raises(DataError, match="E-FIELD-TYPE"):
        write(stay(groups={"stay": {"admitted_on": 1 << 64}}), "", RECORDED)


@pytest.mark.parametrize(
    "fields",
    [{"local": 1}, {"local": 1.0}, {"admitted_on": 20089.0}, {"admitted_on": True}],
)
def test_a_value_equal_to_a_kept_one_but_of_another_type_is_not_taken_for_it(fields):
    write, _, count = ways()
    first = {"hospital": "医院", "admitted_on": 20089, "local": True}
    write(stay(groups={"stay": first | {"admitted_on": 1}}), "", RECORDED)
    write(stay(groups={"stay": dict(first)}), "", RECORDED)
    assert not count["general"]
    try:
        write(stay(groups={"stay": first | fields}), "", RECORDED)
    except DataError as error:
        assert error.code == "E-SCHEMA-BODY"  # noqa: PT017 - some are refused, none is mistaken
    assert count["general"] == 1


def test_more_combinations_of_groups_than_are_kept_go_the_general_way(monkeypatch):
    monkeypatch.setattr("hub.intake.writers._VARIANTS", 1)
    write, _, count = ways()
    write(stay(), "", RECORDED)
    assert not count["general"]
    write(stay(groups={"stay": {"local": True}, "contact": {"phone": "1"}}), "", RECORDED)
    assert count["general"] == 1


def test_a_mapping_cannot_set_who_the_person_is():
    write, _, count = ways()
    made = write(stay(groups={"stay": {"local": True}, ID: {"name": "李四"}}), "", RECORDED)
    assert count["general"] == 1
    assert decode_event(made[2]).groups[ID]["id_number"] == "99068219520101103X"


PLAIN = st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | st.text(max_size=300)
PACKED = st.dictionaries(st.text(max_size=40), PLAIN, max_size=9)


@given(PACKED, PACKED)
def test_parts_packed_on_their_own_give_the_digest_of_the_whole(one, other):
    groups = {"a": one, "b": other}
    packed = [list_head(2), pack("x"), map_head(groups)]
    packed += [pack("a"), pack(one), pack("b"), pack(other)]
    assert packed_digest(b"".join(packed)) == content_digest("x", groups)
