"""The CloudEvents binding: what is written, and what is tolerated when read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contracts.cloudevents import (
    copy_headers,
    event_headers,
    from_json,
    read_headers,
    to_json,
    with_sequence,
)
from hub.contracts.events import CanonicalEvent
from hub.kernel.errors import DataError

ENVELOPE = {
    "copy_id": "c1",
    "type": "referral.created",
    "subscription": "medical-aid-default",
    "occurred_at": 1_741_000_000_000,
    "lifecycle": "created",
    "correlation_id": "k1",
    "jurisdiction": "320682",
    "rule_id": "RG-15",
    "rule_version": "1",
    "reason_zh": "理由",
    "reason_en": "reason",
    "mask_version": "m1",
    "masked": [],
    "legal_basis": "社会救助暂行办法",
    "purpose": "medical-aid",
    "catalog_id": "x",
}
COPY = {
    "envelope": ENVELOPE,
    "person_ref": "0" * 26,
    "category": {"category": "DIBAO", "effective_from": 20180},
    "stay": {"hospital": "示例医院", "admitted_on": 20180},
    "medcost": {"total": 123450},
}


def headers(program="medical-aid", copy=COPY):
    return copy_headers(program, copy, recorded=1_741_000_001_000)


def test_an_internal_event_carries_the_four_required_attributes_and_its_content_type():
    event = CanonicalEvent(
        event_id="e1",
        type="health.hospitalized",
        source="health",
        source_record_key="A",
        jurisdiction="320682101",
    )
    assert dict(event_headers(event)) == {
        "ce_id": b"e1",
        "ce_specversion": b"1.0",
        "ce_source": b"/gov/320682/health",
        "ce_type": b"gov.health.hospitalized.v1",
        "content-type": b"application/avro",
    }
    assert ("traceparent", b"00-1") in event_headers(event, "00-1")


def test_a_copy_carries_the_whole_table():
    found = dict(headers())
    assert found["ce_id"] == b"c1"
    assert found["ce_source"] == b"/gov/320682/hub"
    assert found["ce_time"] == b"2025-03-03T19:06:40.000+08:00"
    assert found["ce_subject"] == found["ce_partitionkey"] == b"0" * 26
    assert found["ce_dataschema"].startswith(b"urn:")
    assert found["ce_dataclassification"] == b"restricted"
    assert (found["ce_dataregulation"], found["ce_datacategory"]) == (b"PIPL,DSL", b"sensitive")
    assert found["ce_effectivefrom"] == b"2025-04-02"
    assert found["content-type"] == b"application/avro"
    names = "subscriptionid ruleid maskversion legalbasis purpose catalogid authtype authid lifecycle jurisdiction recordedtime correlationid"
    assert {f"ce_{name}" for name in names.split()} <= found.keys()
    assert all(len(name.removeprefix("ce_")) <= 20 for name in found)


def test_a_copy_with_months_only_does_not_tell_the_day_in_a_header():
    copy = {
        "envelope": ENVELOPE,
        "category": {"category": "DIBAO", "effective_from_month": "2025-04"},
    }
    assert dict(headers("electricity-relief", copy))["ce_effectivefrom"] == b"2025-04"


def test_a_copy_without_person_data_is_internal_and_names_no_regulation():
    found = dict(headers("civil-affairs", {"envelope": ENVELOPE, "task": {"task_id": "T"}}))
    assert found["ce_dataclassification"] == b"internal"
    assert "ce_dataregulation" not in found
    assert "ce_subject" not in found


def test_the_sequence_comes_last_with_twenty_digits_and_leaves_the_rest_alone():
    before = headers()
    after = with_sequence(before, 7, 2)
    assert after[: len(before)] == before
    assert dict(after)["ce_subscriptionseq"] == b"00000000000000000007"
    assert dict(after)["ce_subscriptiongen"] == b"2"
    assert (
        dict(with_sequence(before, 10, 2))["ce_subscriptionseq"] > dict(after)["ce_subscriptionseq"]
    )


def test_structured_json_shows_yuan_and_dates_and_comes_back():
    body = to_json("medical-aid", COPY, with_sequence(headers(), 1, 1))
    tree = json.loads(body)
    assert tree["data"]["medcost"]["total"] == "1234.50"
    assert tree["data"]["stay"]["admitted_on"] == "2025-04-02"
    assert tree["data"]["envelope"]["occurred_at"].endswith("+08:00")
    assert tree["datacontenttype"] == "application/json"
    attributes, data = from_json(body)
    assert attributes["subscriptionseq"].endswith("1")
    assert data["person_ref"] == "0" * 26


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{", "E-JSON"), (b"[]", "E-JSON"), (b'{"id":"1"}', "E-FIELD-MISSING"), (b"\xff", "E-JSON")],
)
def test_a_broken_structured_event_is_a_data_error(body, code):
    with pytest.raises(DataError) as refused:
        from_json(body)
    assert refused.value.code == code


def test_foreign_binary_and_repeated_headers_are_kept():
    found = read_headers(
        [
            ("ce_id", b"1"),
            ("ce_id", b"2"),
            ("kafka_dlt-original-partition", b"\x00\x00\x00\xff"),
            ("x", None),
            ("Content-Type", b"Application/CloudEvents+json; charset=utf-8"),
            ("CE_TYPE", b"gov.x.y.v1"),
        ]
    )
    assert found.attributes == {"id": "1", "type": "gov.x.y.v1"}
    assert found.rest == (
        ("ce_id", b"2"),
        ("kafka_dlt-original-partition", b"\x00\x00\x00\xff"),
        ("x", b""),
    )
    assert found.structured


@given(st.lists(st.tuples(st.text(max_size=12), st.none() | st.binary(max_size=12)), max_size=8))
def test_no_header_is_an_error_or_gets_lost(pairs):
    found = read_headers(pairs)
    kept = len(found.rest) + len(found.attributes) + bool(found.content_type)
    assert kept >= len(pairs) - sum(1 for _, value in pairs if not value)
