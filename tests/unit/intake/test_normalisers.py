"""Normalising: the same bytes give the same events, and every check is judged by the record."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_records import RECORDED, Raw

from hub.contracts.codecs import decode_event
from hub.intake.normalisers import compile_item
from hub.intake.people import age_band
from hub.intake.rehearsals import KEYS
from hub.kernel.dates import days
from hub.kernel.divisions import Division, Divisions
from hub.kernel.errors import DataError
from hub.kernel.settings import Settings
from hub.sdk.manifests import load_manifest

HEALTH = "in.health.admissions"


def only(pipelines, topic, value):
    (produced,) = pipelines[topic](Raw(value, topic=topic))
    return decode_event(produced[2])


def test_a_correction_names_the_event_id_of_the_original(pipelines, row):
    first = only(pipelines, HEALTH, row())
    corrected = only(pipelines, HEALTH, row(记录状态="2", 版本号=2))
    annulled = only(pipelines, HEALTH, row(记录状态="3", 版本号=5))
    assert corrected.replaces == annulled.replaces == first.event_id
    assert len({first.event_id, corrected.event_id, annulled.event_id}) == 3


def test_a_retraction_names_the_death_it_takes_back(pipelines, example):
    raw = example("in.police.deaths")
    died = only(pipelines, "in.police.deaths", msgspec.json.encode(raw))
    retraction = msgspec.json.encode({**raw, "czbs": "D", "bbh": 2})
    assert only(pipelines, "in.police.deaths", retraction).replaces == died.event_id


def test_the_record_key_is_the_uid_and_a_mac_where_nobody_is_named(pipelines, example):
    value = msgspec.json.encode(example("in.power-supply.meters"))
    (_, key, body, _) = pipelines["in.power-supply.meters"](Raw(value))[0]
    assert decode_event(body).uid is None
    assert key == KEYS.route.fallback("/gov/320682/power-supply", "PP0001")
    (_, key, body, _) = pipelines[HEALTH](Raw(msgspec.json.encode(example(HEALTH))))[0]
    assert key == decode_event(body).uid == KEYS.uid.uid("99068219520101103X")


def test_members_are_named_by_uid_and_age_band(pipelines, example):
    value = msgspec.json.encode(example("in.civil-affairs.households"))
    event = only(pipelines, "in.civil-affairs.households", value)
    refs = {member["ref"]: member["id_number"] for member in event.groups["household"]["members"]}
    assert all(ref == KEYS.uid.uid(number).hex() for ref, number in refs.items())


@pytest.mark.parametrize(
    ("birth", "band"),
    [
        ("2025-06-30", "0-2"),
        ("2013-07-01", "6-11"),
        ("2013-06-30", "12-14"),
        ("1945-06-30", "80+"),
        ("1965-07-01", "18-59"),
    ],
)
def test_the_age_band_is_that_of_the_day(birth, band):
    assert age_band(days(birth), days("2025-06-30")) == band


def test_other_content_under_an_old_version_has_another_digest(pipelines, row):
    one, same, other = (
        only(pipelines, HEALTH, value)
        for value in (row(), row(更新时间="2025-03-02 00:00:00"), row(入院日期="2025-03-02"))
    )
    assert one.event_id == same.event_id == other.event_id
    assert one.digest == same.digest != other.digest


def test_a_row_of_a_file_is_another_version_when_its_content_changes(pipelines, example):
    topic = "in.poverty-alleviation.lists"
    raw = example(topic)
    one = only(pipelines, topic, msgspec.json.encode(raw))
    same = only(pipelines, topic, msgspec.json.encode(dict(reversed(raw.items()))))
    other = only(pipelines, topic, msgspec.json.encode({**raw, "联系电话": "1"}))
    assert one.event_id == same.event_id != other.event_id
    assert one.source_record_key == other.source_record_key


def test_a_fact_is_judged_against_its_own_recording_never_against_now(pipelines, row):
    record = Raw(
        row(入院日期="2031-01-01"), headers=[("ce_recordedtime", b"2031-01-01T00:00:00.000+08:00")]
    )
    assert len(pipelines[HEALTH](record)) == 1


def test_a_type_the_sender_may_not_publish_is_refused(manifests, tmp_path):
    manifest = manifests["funeral"]
    shrunk = manifest.items[0].model_copy(update={"events": ["person.died"]})
    normalise = compile_item(manifest, shrunk, KEYS, Settings(synthetic_people=True))
    row = {
        "火化证编号": "1",
        "证件号码": "99068219520101103X",
        "死亡日期": "2025-03-08",
        "状态": "作废",
        "版本号": 2,
    }
    with pytest.raises(DataError, match="E-SENDER"):
        normalise(msgspec.json.encode(row), RECORDED)


def test_invented_people_are_refused_where_real_ones_are_on_record(manifests, row):
    manifest = manifests["health"]
    normalise = compile_item(manifest, manifest.items[0], KEYS, Settings(synthetic_people=False))
    with pytest.raises(DataError, match="E-ID-SYNTHETIC"):
        normalise(row(), RECORDED)


def test_a_merged_division_becomes_its_successor_as_of_the_day(manifests, row):
    from datetime import date

    rows = [
        Division("32", "江苏省", "province", "gb2260", None, None, "", ()),
        Division("320683", "旧县", "county", "gb2260", None, date(2025, 1, 1), "32", ("320682",)),
        Division("320682", "如皋市", "county", "gb2260", None, None, "32", ()),
    ]
    manifest = manifests["health"]
    normalise = compile_item(
        manifest,
        manifest.items[0],
        KEYS,
        Settings(synthetic_people=True),
        divisions=Divisions(rows),
    )
    (after,) = normalise(row(现住区划="320683"), RECORDED)
    (before,) = normalise(row(现住区划="320683", 入院日期="2024-12-31"), RECORDED)
    assert after.groups["area"]["residence_area"] == "320682"
    assert before.groups["area"]["residence_area"] == "320683"


def test_no_id_number_stands_in_a_key_header_or_envelope(pipelines, example):
    for topic, pipeline in pipelines.items():
        for _, key, body, headers in pipeline(
            Raw(msgspec.json.encode(example(topic)), topic=topic)
        ):
            event = decode_event(body)
            envelope = repr(
                [getattr(event, name) for name in event.__struct_fields__ if name != "groups"]
            )
            assert "99068219" not in envelope
            assert b"99068219" not in (key or b"") + b"".join(text for _, text in headers)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(18)))
def test_order_and_repetition_of_a_batch_change_nothing(pipelines, example, order):
    topics = sorted(pipelines)
    values = {topic: msgspec.json.encode(example(topic)) for topic in topics}
    alone = {topic: pipelines[topic](Raw(values[topic], topic=topic)) for topic in topics}
    for place in (*order, *order):
        topic = topics[place]
        assert pipelines[topic](Raw(values[topic], topic=topic)) == alone[topic]


def test_an_own_connector_is_compiled_like_a_shipped_one(tmp_path):
    from hub.sdk.scaffolds import scaffold

    scaffold("petition", tmp_path)
    manifest = load_manifest(tmp_path / "petition")
    normalise = compile_item(manifest, manifest.items[0], KEYS, Settings(synthetic_people=True))
    with pytest.raises(DataError, match="E-FIELD-MISSING"):
        normalise(b"{}", RECORDED)
