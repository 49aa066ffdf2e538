"""R3: what is delivered equals what is granted, for every receiver and every event type."""

from __future__ import annotations

import pytest
from canaries import DIED, HOUSEHOLD, MEMBER, UID, everything, paths

from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import decode_copy
from hub.kernel.dates import date_of
from hub.model.decisions import Deliver, Deny, Reason
from hub.model.outbox import unpack

PLACE = catalogue()
CONDITIONS = {"accept": "referral.details_released", "match": "electricity.match_requested"}
OCCURRED = 1_742_788_800_123
"""2025-03-24: the day of the death."""
PAIRS = [(program, event) for program in sorted(PLACE.grants) for event in sorted(PLACE.events)]


def granted(program: str, copy_type: str, *, student_no: bool = True) -> set[str]:
    open_ = {"", "month"} | ({"no_student_no"} if not student_no else set())
    open_ |= {marker for marker, kind in CONDITIONS.items() if kind == copy_type}
    return {f"{f.group}.{f.field}" for f in PLACE.grants[program].fields if f.marker in open_}


def delivery(program: str, copy_type: str, groups=None) -> Deliver:
    return Deliver(
        program=program,
        type=copy_type,
        cause="0d9c3c0b-5f0e-5d55-8a6b-000000000001",
        reason=Reason("RG-11.death", "referral.deceased", "2025.1", (), {}),
        uid=UID,
        household=HOUSEHOLD,
        groups=everything(PLACE) if groups is None else groups,
        correlation="matter-of-the-original",
        occurred_at=OCCURRED,
        jurisdiction="320682103205",
        ordinal="ordinal",
    )


def known(receivers, program: str, copy_type: str) -> bool:
    subscription = receivers[program].subscription
    told = {name for entry in subscription.subscribes for name in entry.types}
    return copy_type in told | set(subscription.receives)


@pytest.mark.parametrize(("program", "copy_type"), PAIRS)
def test_delivered_fields_are_the_granted_fields(program, copy_type, copies, receivers, ctx):
    answer = copies.make(delivery(program, copy_type), ctx)
    if not known(receivers, program, copy_type):
        assert answer == (Deny(program, "deny.no_agreement", copy_type),)
        return
    if not answer:
        release = {marker for marker, kind in CONDITIONS.items() if kind == copy_type}
        assert release
        assert not release & {f.marker for f in PLACE.grants[program].fields}
        return
    (row,) = answer
    copy = decode_copy(program, row.body)
    assert paths(copy) == granted(program, copy_type) == set(row.fields)
    bare = row.body + row.headers
    for secret in (b"canary-member", b"ordinal", b"matter-of-the-original", HOUSEHOLD.encode()):
        assert secret not in bare
    for uid in (UID, MEMBER):
        assert uid not in bare
        assert uid.hex().encode() not in bare


@pytest.mark.parametrize("program", sorted(PLACE.grants))
def test_text_of_no_withheld_field_leaves(program, copies, receivers, ctx):
    for copy_type in receivers[program].subscription.receives:
        for row in copies.make(delivery(program, copy_type), ctx):
            for group, fields in everything(PLACE).items():
                for field in fields:
                    if f"{group}.{field}" not in granted(program, copy_type):
                        assert f"canary-{group}-{field}".encode() not in row.body


@pytest.mark.parametrize("program", ["education-aid", "education"])
def test_a_pupil_is_named_only_without_a_student_number(program, copies, ctx, receivers):
    groups = everything(PLACE)
    groups["school"].pop("student_no")
    kind = receivers[program].subscription.receives[0]
    (row,) = copies.make(delivery(program, kind, groups), ctx)
    wanted = granted(program, kind, student_no=False) - {"school.student_no"}
    assert paths(decode_copy(program, row.body)) == wanted


NEUTRAL = ["electricity-relief", "education-aid"]


@pytest.mark.parametrize("program", NEUTRAL)
def test_neutral_copies_tell_neither_death_nor_illness(program, copies, ctx, receivers):
    for kind in receivers[program].subscription.receives:
        for row in copies.make(delivery(program, kind), ctx):
            seen = b"".join(f"{n}={v!r}".encode() for n, v in unpack(row.headers)) + row.body
            day = date_of(DIED).isoformat().encode()
            for tale in (
                b"died",
                b"death",
                b"canary-life",
                b"diagnosis",
                b"stay",
                b"secret",
                b"RG-11",
            ):
                assert tale not in seen, (kind, tale)
            assert day not in seen
            copy = decode_copy(program, row.body)
            assert copy["envelope"]["occurred_at"] == ctx.now_ms
            assert "person" not in row.type


def test_months_stand_in_place_of_days(copies, ctx):
    (row,) = copies.make(delivery("electricity-relief", "referral.created"), ctx)
    category = decode_copy("electricity-relief", row.body)["category"]
    assert category["effective_from_month"] == "2025-01"
    assert set(category) == {"category", "effective_from_month", "effective_to_month"}
    headers = dict(unpack(row.headers))
    assert headers["ce_effectivefrom"] == b"2025-01"


def test_members_are_pseudonym_relation_and_age_band(copies, ctx):
    (row,) = copies.make(delivery("dibao", "person.died"), ctx)
    (member,) = decode_copy("dibao", row.body)["household"]["members"]
    assert set(member) == {"person_ref", "relation", "age_band"}
    assert len(member["person_ref"]) == 26


def test_areas_are_no_finer_than_the_county(copies, ctx):
    (row,) = copies.make(delivery("medical-aid", "referral.created"), ctx)
    copy = decode_copy("medical-aid", row.body)
    assert copy["area"] == {"residence_area": "320682", "hukou_area": "320682"}
    assert copy["envelope"]["jurisdiction"] == "320682"


def test_the_masked_list_depends_on_the_type_alone(copies, ctx):
    def masked(groups):
        (row,) = copies.make(delivery("medical-aid", "health.hospitalized", groups), ctx)
        return decode_copy("medical-aid", row.body)["envelope"]["masked"]

    assert masked(None) == masked({}) == ["contact", "diagnosis", "flags"]
