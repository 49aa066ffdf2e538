"""Records that cannot be used: each becomes a dead letter with its code, nothing crashes."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_records import RECORDED, Raw

from hub.contracts.codecs import decode_event
from hub.kernel.errors import DataError
from hub.kernel.reasons import CODES

DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
POISON = {
    "empty": (b"", "E-JSON"),
    "tombstone": (None, "E-JSON"),
    "cut off": (b'{"a": "b', "E-JSON"),
    "not a number": (b'{"a": NaN}', "E-JSON"),
    "infinite": (b'{"a": -Infinity}', "E-JSON"),
    "deep": (DEEP, "E-JSON"),
    "deep list": (b"[" * 1_000_000, "E-JSON"),
    "list": (b"[]", "E-FIELD-TYPE"),
    "text": (b'"a"', "E-FIELD-TYPE"),
    "null": (b"null", "E-FIELD-MISSING"),
    "no fields": (b"{}", "E-FIELD-MISSING"),
    "gbk": ('{"姓名": "张三"}'.encode("gbk"), "E-ENCODING"),
    "utf-16": ('{"姓名": "张三"}'.encode("utf-16"), "E-ENCODING"),
    "byte order mark": (b'\xef\xbb\xbf{"a": 1}', "E-JSON"),
    "control characters": (bytes(range(32)), "E-JSON"),
    "spreadsheet": (b"PK\x03\x04\x14\x00", "E-JSON"),
}


def code_of(produced):
    letter, fact = produced
    assert letter[0] == "dlq.hub.in.health.admissions"
    assert fact[0] == "event.record"
    return decode_event(fact[2]).groups["failure"]["code"]


@pytest.mark.parametrize(("value", "code"), POISON.values(), ids=POISON)
def test_poison_becomes_a_dead_letter_with_its_code(pipelines, value, code):
    produced = pipelines["in.health.admissions"](Raw(value))
    assert code_of(produced) == code
    assert produced[0][2] == (value or b"")


def test_deep_nesting_in_a_field_nobody_asked_for_is_no_crash(pipelines, row):
    value = row().replace(b"{", b'{"x":' + DEEP + b",", 1)
    assert len(pipelines["in.health.admissions"](Raw(value))) in {1, 2}


def test_of_a_field_that_stands_twice_the_last_one_counts(pipelines, row):
    twice = row().replace(b"{", '{"业务类型":"9",'.encode(), 1)
    (produced,) = pipelines["in.health.admissions"](Raw(twice))
    assert produced[0] == "event.health"


def test_half_a_character_is_refused_as_encoding(pipelines, row):
    value = row(登记流水号="MARK").replace(b"MARK", b"\\ud800")
    assert code_of(pipelines["in.health.admissions"](Raw(value))) in {"E-ENCODING", "E-JSON"}


def test_a_number_beyond_all_measure_is_refused(pipelines, row):
    value = row(版本号="MARK").replace(b'"MARK"', b"9" * 5000)
    assert code_of(pipelines["in.health.admissions"](Raw(value))) in {"E-FIELD-TYPE", "E-JSON"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"2025-06-30T12:00:00.000+08:00", RECORDED),
        (b"2025-06-30T04:00:00.000Z", RECORDED),
        (b"2025-06-30T12:00:00.123+08:00", RECORDED + 123),
        (b"2025-06-30T12:59:59.999+08:00", RECORDED + 3_599_999),
        (b"yesterday", RECORDED + 1000),
        (b"2025-06-30T12:00:00", RECORDED + 1000),
        (b"2025-06-30T12:xx:00.000+08:00", RECORDED + 1000),
        (b"\xff", RECORDED + 1000),
    ],
)
def test_the_recording_is_read_or_the_receipt_serves(pipelines, row, header, expected):
    for _ in range(2):
        record = Raw(row(), headers=[("ce_recordedtime", header)])
        (produced,) = pipelines["in.health.admissions"](record)
        assert decode_event(produced[2]).recorded == expected


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["in.health.admissions", "in.hospital.encounters"]), st.binary(max_size=200))
def test_no_bytes_crash_a_pipeline(pipelines, topic, value):
    assert len(pipelines[topic](Raw(value, topic=topic))) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_no_value_in_any_field_crashes_a_pipeline(pipelines, example, data):
    topic = data.draw(st.sampled_from(sorted(pipelines)))
    record = example(topic)
    name = data.draw(st.sampled_from(sorted(record)))
    record[name] = data.draw(JSON)
    try:
        value = msgspec.json.encode(record)
    except (UnicodeEncodeError, OverflowError):
        return
    for produced in pipelines[topic](Raw(value, topic=topic)):
        assert produced[0].startswith(("event.", "dlq.hub.in."))


def test_the_bytes_of_a_good_record_are_never_needed_for_its_error(pipelines, row):
    value = row(证件号码="990682195201011031", 姓名="王建国")
    letter, fact = pipelines["in.health.admissions"](Raw(value))
    told = b" ".join(text for _, text in letter[3]) + fact[2] + b" ".join(t for _, t in fact[3])
    assert b"990682195201011031" not in told
    assert "王建国".encode() not in told


def test_a_crash_is_buried_with_its_code(pipelines, row):
    produced = pipelines["in.health.admissions"].buried(Raw(row()), "E-BUG")
    assert code_of(produced) == "E-BUG"


def test_every_code_intake_raises_is_declared():
    for code in ("E-JSON", "E-ENCODING", "E-FIELD-MISSING", "E-FIELD-TYPE", "E-SENDER", "E-FUTURE"):
        assert code in CODES
        assert str(DataError(code)) == code
