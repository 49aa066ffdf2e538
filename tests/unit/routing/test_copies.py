from __future__ import annotations

import pytest
from msgspec.structs import replace
from test_r3 import delivery

from hub.contracts.catalogues import catalogue
from hub.contracts.cloudevents import copy_headers
from hub.contracts.codecs import decode_copy
from hub.model.outbox import unpack

PLACE = catalogue()


def test_the_same_delivery_gives_the_same_bytes(copies, ctx):
    asked = delivery("medical-aid", "health.hospitalized")
    assert copies.make(asked, ctx) == copies.make(asked, ctx)


def test_two_receivers_share_no_pseudonym(copies, ctx):
    texts = []
    for program in ("medical-aid", "dibao"):
        (row,) = copies.make(delivery(program, "person.died"), ctx)
        copy = decode_copy(program, row.body)
        envelope = copy["envelope"]
        texts.append(
            {
                row.copy_id,
                copy["person_ref"],
                copy["household_ref"],
                envelope["correlation_id"],
                envelope["causation_id"],
            }
        )
        assert len(texts[-1]) == 5
    assert not texts[0] & texts[1]


def test_one_matter_stays_one_matter_for_one_receiver(copies, ctx):
    asked = delivery("medical-aid", "health.hospitalized")
    later = replace(asked, cause="0d9c3c0b-5f0e-5d55-8a6b-000000000002")
    (one,), (two,) = copies.make(asked, ctx), copies.make(later, ctx)
    first, second = (decode_copy("medical-aid", r.body)["envelope"] for r in (one, two))
    assert first["correlation_id"] == second["correlation_id"]
    assert first["copy_id"] != second["copy_id"]
    assert first["causation_id"] != second["causation_id"]


def test_a_correction_names_the_copy_it_replaces(copies, ctx):
    asked = delivery("medical-aid", "health.hospitalized")
    (original,) = copies.make(asked, ctx)
    correction = replace(
        asked,
        cause="0d9c3c0b-5f0e-5d55-8a6b-000000000002",
        lifecycle="corrected",
        replaces=asked.cause,
    )
    (corrected,) = copies.make(correction, ctx)
    assert decode_copy("medical-aid", corrected.body)["envelope"]["replaces"] == original.copy_id
    assert dict(unpack(corrected.headers))["ce_replaces"] == original.copy_id.encode()


@pytest.mark.parametrize("program", sorted(PLACE.grants))
@pytest.mark.parametrize("decision", [None, "D-1 决定"])
@pytest.mark.parametrize("empty", [False, True])
def test_packed_headers_are_the_table(program, decision, empty, copies, receivers, ctx):
    subscription = receivers[program].subscription
    told = [n for e in subscription.subscribes for n in e.types]
    for kind in (*subscription.receives, *told):
        asked = replace(delivery(program, kind), decision_id=decision)
        if empty:
            asked = replace(asked, groups={}, uid=None, household=None)
        for row in copies.make(asked, ctx):
            copy = {"person_ref": None} | decode_copy(program, row.body)
            wanted = copy_headers(program, copy, recorded=ctx.now_ms, division="320682")
            assert unpack(row.headers) == wanted


def test_every_receiver_gets_the_mandatory_headers(copies, receivers, ctx):
    must = (
        "specversion id source type time subject dataschema partitionkey recordedtime"
        " correlationid causationid dataclassification dataregulation datacategory authtype"
        " authid lifecycle jurisdiction catalogid legalbasis purpose subscriptionid ruleid"
        " maskversion profileversion"
    )
    for program, receiver in receivers.items():
        for row in (
            copies.make(delivery(program, receiver.subscription.receives[0]), ctx)
            if receiver.subscription.receives
            else ()
        ):
            headers = dict(unpack(row.headers))
            assert not [n for n in must.split() if f"ce_{n}" not in headers]
            assert "ce_traceparent" not in headers
            assert headers["ce_partitionkey"] == row.key


def test_a_body_that_is_not_granted_is_refused(copies, ctx):
    asked = replace(delivery("medical-aid", "referral.created"), body={"roster": {"op": "added"}})
    (denied,) = copies.make(asked, ctx)
    assert denied.code == "deny.field"


def test_rows_of_a_roster_are_masked_and_named_by_pseudonym(copies, ctx):
    ref = "cd" * 16
    rows = [
        {
            "row_key": ref,
            "uid": bytes.fromhex(ref),
            "category": {"category": "DIBAO", "effective_from_month": "2025-02"},
            "school": {"student_no": "S1", "stage": "primary"},
            "id": {"name": "canary-name"},
            "income": {"per_head": 1},
        }
    ]
    body = {"roster": {"snapshot_id": "education:2025-Q1", "part": 1, "rows": 1}, "rows": rows}
    asked = replace(delivery("education", "roster.part"), body=body, groups={}, uid=None)
    (row,) = copies.make(asked, ctx)
    (told,) = decode_copy("education", row.body)["rows"]
    assert told["row_key"] == told["person_ref"] == copies.row_ref("education", ref)
    assert told["category"] == {"category": "DIBAO", "effective_from_month": "2025-02"}
    assert "id" not in told
    assert b"canary" not in row.body
    assert ref.encode() not in row.body + row.headers


def test_a_delta_holds_the_columns_of_the_roster_only(copies, ctx):
    body = {"roster": {"op": "added", "row_key": "ab" * 16}}
    asked = replace(delivery("poverty-alleviation", "roster.delta"), body=body)
    (row,) = copies.make(asked, ctx)
    (rule,) = (r for r in ctx.profile.rosters if r.recipient == "poverty-alleviation")
    assert set(row.fields) == set(rule.columns)
