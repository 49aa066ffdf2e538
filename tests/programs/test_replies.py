from __future__ import annotations

import pytest

from hub.contracts.cloudevents import to_json
from hub.contracts.codecs import decode_copy, decode_event, encode_event
from hub.kernel.errors import DataError
from hub.sdk.programs.copies import from_event, from_record
from hub.sdk.programs.replies import event_of, fields_of


@pytest.fixture
def copy(press):
    value, headers, _ = press.referral("medical-aid", 7)
    return from_record("medical-aid", value, headers)


def test_a_copy_is_the_same_by_every_way(press, copy):
    value, headers, _ = press.referral("medical-aid", 7)
    body = to_json("medical-aid", decode_copy("medical-aid", value), headers)
    other = from_event("medical-aid", body)
    assert other.data == copy.data
    assert (other.id, other.sequence, other.generation) == (copy.id, 7, 1)
    assert other.data["medcost"] == {"total": 1_234_50, "expense_date": 20_101}
    assert other.plain()["medcost"] == {"total": "1234.50", "expense_date": "2025-01-13"}


def test_a_reply_names_referral_and_person_and_keeps_its_id(copy):
    said = fields_of(copy, "referral.accepted", {"handler": "A-17"})
    one, two = (event_of(copy, "referral.accepted", said, now=now) for now in (1, 2))
    assert one.event_id == two.event_id
    assert one.digest == two.digest
    assert one.groups["reply"] == {
        "referral_id": "referral-7",
        "person_ref": copy.person_ref,
        "handler": "A-17",
    }
    assert decode_event(encode_event(one)).groups == one.groups
    assert one.source == "medical-aid"


def test_what_is_no_reply_is_refused(copy):
    for kind, fields, code in (
        ("category.ended", {}, "E-TYPE-UNKNOWN"),
        ("referral.accepted", {"colour": "red"}, "E-FIELD-TYPE"),
    ):
        with pytest.raises(DataError) as caught:
            fields_of(copy, kind, fields)
        assert caught.value.code == code
