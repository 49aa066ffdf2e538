"""Dead letters: headers every console knows, one id however often a record comes."""

import msgspec
import pytest
from raw_records import REPLAYS, Raw

from hub.contracts.codecs import decode_event
from hub.contracts.replay_marks import ReplayKey, ReplayMark
from hub.intake.dead_letters import scrub

TOPIC = "in.poverty-alleviation.lists"
PERSON = "99068219860520031X"


@pytest.fixture
def bad(example):
    def make(**changes):
        raw = {**example(TOPIC), "序号": "5", "证件号码": "990682198605200310", **changes}
        return Raw(msgspec.json.encode(raw), topic=f"t1.{TOPIC}")

    return make


def test_a_dead_letter_keeps_bytes_key_and_headers_and_adds_the_reason(pipelines, bad):
    record = bad()
    (topic, key, value, headers), _ = pipelines[TOPIC](record)
    told = dict(headers)
    assert (topic, key, value) == (f"dlq.hub.{TOPIC}", record.key, record.value)
    assert headers[: len(record.headers)] == record.headers
    assert told["__connect.errors.topic"] == b"t1.in.poverty-alleviation.lists"
    assert told["__connect.errors.partition"] == b"2"
    assert told["__connect.errors.offset"] == b"7"
    assert told["__connect.errors.stage"] == b"TRANSFORMATION"
    assert told["hub.dlq.code"] == b"E-ID-CHECK"
    assert told["hub.dlq.category"] == b"identity"
    assert told["hub.dlq.group"] == b"hub.intake"
    assert told["hub.dlq.original-timestamp"] == str(record.timestamp).encode()
    assert told["hub.dlq.failed-at"] == b"2025-06-30T12:00:01.000+08:00"


def test_a_row_of_a_list_is_told_with_list_and_row(pipelines, bad):
    _, (topic, _, value, _) = pipelines[TOPIC](bad())
    event = decode_event(value)
    assert topic == "event.record"
    assert event.type == "record.dead_lettered"
    assert event.source == "poverty-alleviation"
    assert event.uid is None
    assert event.groups["list"] == {"list_ref": "FP2025Q2", "row_no": 5, "rows_total": 5}
    assert event.groups["failure"]["reason"] == "id_number_invalid"
    assert event.groups["failure"]["field"] == "id_number"
    assert event.source_record_key == "FP2025Q2/5"


def test_the_same_record_sent_again_is_the_same_dead_letter(pipelines, bad):
    first = decode_event(pipelines[TOPIC](bad())[1][2])
    again = bad()
    again.offset, again.partition = 99, 0
    second = decode_event(pipelines[TOPIC](again)[1][2])
    assert (first.event_id, first.digest) == (second.event_id, second.digest)


def test_a_record_that_fails_otherwise_is_another_dead_letter(pipelines, bad):
    ids = {decode_event(pipelines[TOPIC](bad(认定日期=day))[1][2]).event_id for day in ("x", "y")}
    assert len(ids) == 2


def test_a_list_number_that_is_an_id_number_is_not_told(pipelines, bad):
    event = decode_event(pipelines[TOPIC](bad(名单编号=PERSON))[1][2])
    assert "list" not in event.groups
    assert event.source_record_key.startswith("digest:")


def test_a_key_with_an_id_number_is_dropped(pipelines, bad):
    record = bad()
    record.key = PERSON.encode()
    assert pipelines[TOPIC](record)[0][1] is None


MARK = ReplayMark(
    "0f", 2, "op-1", "2025-06-30T12:00:01.000+08:00", "E-DATE", f"t1.{TOPIC}", 2, 5, "E-DATE day"
)


def test_a_redriven_record_keeps_its_first_failure_and_its_dead_letter(pipelines, bad):
    record = bad()
    record.headers += REPLAYS.sign(MARK, record.topic, record.value)
    (_, _, _, headers), (_, _, value, _) = pipelines[TOPIC](record)
    told = dict(headers)
    event = decode_event(value)
    assert len(told) == len(headers)
    assert told["__connect.errors.offset"] == b"5"
    assert told["__connect.errors.exception.message"] == b"E-DATE day"
    assert told["hub.dlq.id"] == told["hub.dlq.replay-of"] == b"0f"
    assert (told["hub.dlq.code"], told["hub.dlq.first-code"]) == (b"E-ID-CHECK", b"E-DATE")
    assert told["hub.dlq.first-failed-at"] == b"2025-06-30T12:00:01.000+08:00"
    assert told["hub.dlq.replay-count"] == b"2"
    assert event.groups["failure"]["dead_letter"] == "0f"
    # Told anew, though the record has failed before.
    assert event.event_id != decode_event(pipelines[TOPIC](bad())[1][2]).event_id


@pytest.mark.parametrize(
    "forged",
    [
        [("hub.dlq.id", b"0f"), ("hub.dlq.replay-of", b"0f"), ("hub.dlq.replay-count", b"2")],
        [("__connect.errors.topic", b"first")],
        ReplayKey(b"a key of somebody else").sign(MARK, f"t1.{TOPIC}", b"x"),
    ],
)
def test_a_department_cannot_claim_another_failure(pipelines, bad, forged):
    record = bad()
    plain = pipelines[TOPIC](bad())
    record.headers += forged
    found = pipelines[TOPIC](record)
    assert decode_event(found[1][2]) == decode_event(plain[1][2])
    assert found[0][3] == plain[0][3]


def test_a_mark_holds_for_its_own_topic_and_value_only(bad):
    record = bad()
    headers = REPLAYS.sign(MARK, record.topic, record.value)
    assert REPLAYS.read(headers, record.topic, record.value) == MARK
    assert REPLAYS.read(headers, record.topic, b"other") is None
    assert REPLAYS.read(headers, "t1.in.village.reports", record.value) is None
    more = [(n, b"9" if n.endswith("count") else t) for n, t in headers]
    assert REPLAYS.read(more, record.topic, record.value) is None


def test_a_redriven_good_record_becomes_the_same_event(pipelines, example):
    raw = msgspec.json.encode(example(TOPIC))
    first, again = Raw(raw, topic=f"t1.{TOPIC}"), Raw(raw, topic=f"t1.{TOPIC}")
    again.headers += REPLAYS.sign(MARK, again.topic, again.value)
    again.offset, again.timestamp = 99, first.timestamp + 86_400_000
    assert [made[2] for made in pipelines[TOPIC](first)] == [
        made[2] for made in pipelines[TOPIC](again)
    ]


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        (f"E-ID {PERSON}!", "E-ID ***!"),
        ("phone 19900000001", "phone ***"),
        ("18 characters", "18 characters"),
        ("a" * 9000, "a" * 4096),
    ],
)
def test_long_numbers_are_scrubbed_and_texts_cut(text, scrubbed):
    assert scrub(text) == scrubbed
