from __future__ import annotations

import msgspec
import pytest

from hub.contracts.codecs import encode_event
from hub.contracts.digests import content_digest
from hub.contracts.events import CanonicalEvent
from hub.deadletters.views import shape, view

NUMBER, NAME = "99068219860520031X", "王建国"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (NUMBER, "99999999999999999x"),
        (NAME, "字字字"),
        ("A-1 号", "x-9 字"),
        ("x" * 70, "x" * 64 + "…(70)"),
    ],
)
def test_a_shape_tells_form_and_length_only(text, shown):
    assert shape(text) == shown


def test_nothing_of_a_raw_record_is_shown_but_names_and_shapes():
    raw = {"姓名": NAME, "人员": [{"证件号码": NUMBER, NUMBER: None}], "n": 19900000001, "ok": True}
    found = view(msgspec.json.encode(raw))
    assert (found["kind"], found["fields"]["ok"]) == ("json", True)
    assert found["fields"]["人员"][0]["证件号码"] == "99999999999999999x"
    for secret in (NAME, NUMBER, "19900000001"):
        assert secret not in str(found)
    assert view(b"\xff\x00")["kind"] == "bytes"
    assert view(b"[" * 100_000)["kind"] == "bytes"


def test_of_an_event_fields_of_no_person_are_shown():
    groups = {"id": {"name": NAME, "id_number": NUMBER}, "failure": {"code": "E-DATE", "offset": 7}}
    event = CanonicalEvent(
        "0b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f42", "record.dead_lettered", "health", "R-1", uid=b"u" * 16,
        jurisdiction="320682", digest=content_digest(groups), groups=groups,
    )  # fmt: skip
    found = view(encode_event(event))
    shown = found["fields"]["groups"]
    assert found["kind"] == "event"
    assert (shown["failure"]["code"], shown["failure"]["offset"]) == ("E-DATE", 7)
    assert (shown["id"]["name"], shown["id"]["id_number"]) == ("字字字", "99999999999999999x")
    assert "75" * 16 not in str(found)
