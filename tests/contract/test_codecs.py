"""Compiled codecs against fastavro, both ways, and on bytes that nobody wrote."""

import io
import json
from datetime import date, datetime
from decimal import Decimal
from functools import partial

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import (
    CopyEncoder,
    decode_copy,
    decode_event,
    encode_copy,
    encode_event,
    event_encoder,
    frame,
    schema_id_of,
)
from hub.contracts.decoders import compile_decoder, compile_event
from hub.contracts.digests import content_digest
from hub.contracts.encoders import compile_encoder, compile_variant
from hub.contracts.events import CanonicalEvent
from hub.contracts.interpreters import names_of, resolved
from hub.kernel.errors import DataError
from hub.kernel.places import shipped

CATALOGUE = catalogue()
IDS = sorted(CATALOGUE.files_by_id)
EPOCH = date(1970, 1, 1).toordinal()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
LONG_TEXT = st.just("长" * 3000)


def values(schema, names):
    """Raw values of a type, within what fastavro's datetime can hold."""
    kind, full = resolved(schema, names)
    logical = full.get("logicalType") if isinstance(full, dict) else None
    if kind == "union":
        return st.none() | values(full[1], names)
    if kind == "record":
        fields = {f["name"]: values(f["type"], names) for f in full["fields"]}
        return st.fixed_dictionaries(fields).map(
            lambda d: {k: v for k, v in d.items() if v is not None}
        )
    if kind == "array":
        return st.lists(values(full["items"], names), max_size=3)
    if logical == "date":
        return st.integers(-719_000, 2_900_000) | st.integers(18_000, 22_000)
    if logical == "timestamp-millis":
        return st.integers(-62_000_000_000_000, 250_000_000_000_000) | st.integers(
            1_500_000_000_000, 1_900_000_000_000
        )
    return {
        "money": st.integers(-(10**18) + 1, 10**18 - 1) | st.integers(-200_000, 200_000),
        "string": TEXT | LONG_TEXT,
        "bytes": st.binary(max_size=20),
        "fixed": st.binary(min_size=16, max_size=16),
        "boolean": st.booleans(),
        "enum": st.sampled_from(full["symbols"] if kind == "enum" else ["-"]),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
    }[kind]


def rich(schema, value, names):
    """The value as fastavro takes it: Decimal for money."""
    kind, full = resolved(schema, names)
    if value is None:
        return None
    if kind == "union":
        return rich(full[1], value, names)
    if kind == "record":
        return {f["name"]: rich(f["type"], value.get(f["name"]), names) for f in full["fields"]}
    if kind == "array":
        return [rich(full["items"], item, names) for item in value]
    return Decimal(value).scaleb(-2) if kind == "money" else value


def raw(value):
    """What fastavro read, as raw values without nulls."""
    if isinstance(value, dict):
        return {k: raw(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [raw(v) for v in value]
    if isinstance(value, Decimal):
        return int(value.scaleb(2))
    if isinstance(value, datetime):
        start = datetime(1970, 1, 1, tzinfo=value.tzinfo)
        return (value - start) // (datetime.resolution * 1000)
    if isinstance(value, date):
        return value.toordinal() - EPOCH
    return value


@pytest.mark.parametrize("schema_id", IDS, ids=lambda n: CATALOGUE.files_by_id[n])
def test_every_schema_reads_and_writes_like_fastavro(schema_id):
    schema = CATALOGUE.schemas_by_id[schema_id]
    oracle = fastavro.parse_schema(json.loads(json.dumps(schema)))
    names = names_of(schema)
    encode, decode = compile_encoder(schema), compile_decoder(schema)

    @settings(max_examples=12, deadline=None)
    @given(values(schema, names))
    def compared(value):
        out = io.BytesIO()
        fastavro.schemaless_writer(out, oracle, rich(schema, value, names))
        assert encode(value) == out.getvalue()
        assert decode(out.getvalue()) == value
        assert raw(fastavro.schemaless_reader(io.BytesIO(encode(value)), oracle)) == value

    compared()


EVENTS = sorted(e.type for e in CATALOGUE.events.values() if e.schema_file)


def events(event_type):
    schema = CATALOGUE.schemas_by_id[CATALOGUE.schema_id(event_type)]
    names = names_of(schema)
    required = CATALOGUE.events[event_type].required
    fields = {f["name"]: f["type"] for f in schema["fields"]}
    envelope = values(fields.pop("envelope"), names)
    groups = st.fixed_dictionaries(
        {name: values(fields[name][1], names) for name in required},
        optional={
            name: values(kind[1], names)
            for name, kind in fields.items()
            if name not in required and not name.endswith("_sealed")
        },
    )
    return st.builds(
        lambda envelope, groups: CanonicalEvent(type=event_type, groups=groups, **envelope),
        envelope,
        groups,
    )


@pytest.mark.parametrize("event_type", EVENTS)
def test_an_event_comes_back_as_it_went_and_fastavro_reads_the_same(event_type):
    schema_id = CATALOGUE.schema_id(event_type)
    oracle = fastavro.parse_schema(json.loads(json.dumps(CATALOGUE.schemas_by_id[schema_id])))

    @settings(max_examples=10, deadline=None)
    @given(events(event_type))
    def both_ways(event):
        if not all(event.groups.get(name) for name in CATALOGUE.events[event_type].required):
            return
        value = encode_event(event)
        assert schema_id_of(value) == schema_id
        assert decode_event(value) == event
        read = raw(fastavro.schemaless_reader(io.BytesIO(value[5:]), oracle))
        assert read.pop("envelope")["event_id"] == event.event_id
        assert read == event.groups

    both_ways()


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(IDS), st.binary(max_size=200))
def test_arbitrary_bytes_give_a_schema_error_and_nothing_else(schema_id, body):
    value = b"\0" + schema_id.to_bytes(4, "big") + body
    file = CATALOGUE.files_by_id[schema_id]
    program = file.split("/")[1].removesuffix(".avsc")
    decode = decode_event if file.startswith("events/") else partial(decode_copy, program)
    assert refusal(decode, value) in {"", "E-SCHEMA-BODY"}


def refusal(decode, value):
    """The code of the refusal, empty where the bytes were taken."""
    try:
        decode(value)
    except DataError as error:
        return error.code
    return ""


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_event_is_refused_or_is_another_event(data):
    value = bytearray(encode_event(good("health.hospitalized")))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(value)))
    for damaged in (bytes(value), bytes(value[:cut]), bytes(value) + b"\0"):
        assert refusal(decode_event, damaged) in {"", "E-SCHEMA-ID", "E-SCHEMA-BODY"}


@pytest.mark.parametrize(
    "value", [None, b"", b"\0\0\0", b"\1\0\0\0\1", b"{}", b"\0\xff\xff\xff\xff"]
)
def test_a_record_without_a_known_schema_id_is_refused(value):
    with pytest.raises(DataError) as refused:
        decode_event(value)
    assert refused.value.code == "E-SCHEMA-ID"


def test_every_cut_of_an_event_is_refused():
    value = encode_event(good("household.changed"))
    for cut in range(5, len(value)):
        with pytest.raises(DataError) as refused:
            decode_event(value[:cut])
        assert refused.value.code == "E-SCHEMA-BODY"


def example(path):
    tree = json.loads(path.read_text(encoding="utf-8"))
    return tree, event_of(tree.get("event", tree)) if "hex" not in tree else None


def event_of(tree):
    tree = dict(tree)
    tree["uid"] = bytes.fromhex(tree["uid"]) if tree.get("uid") else None
    tree["digest"] = bytes.fromhex(tree["digest"])
    return CanonicalEvent(**tree)


def good(event_type):
    return example(shipped("schemas") / f"examples/good/{event_type}.json")[1]


FOLDER = shipped("schemas") / "examples"


@pytest.mark.parametrize("path", sorted((FOLDER / "good").glob("*.json")), ids=lambda p: p.stem)
def test_a_good_example_is_taken_and_comes_back(path):
    event = example(path)[1]
    assert decode_event(encode_event(event)) == event


@pytest.mark.parametrize("path", sorted((FOLDER / "good").glob("*.json")), ids=lambda p: p.stem)
def test_the_compiled_code_takes_what_is_common_without_the_interpreter(path):
    event = example(path)[1]
    schema_id = CATALOGUE.schema_id(event.type)
    schema, required = CATALOGUE.schemas_by_id[schema_id], CATALOGUE.events[event.type].required
    value = compile_variant(schema, tuple(event.groups), frame(schema_id), required)(event)
    order = CanonicalEvent.__struct_fields__
    assert compile_event(schema, CanonicalEvent, order, event.type)(value, 5) == event
    assert encode_event(event) == value


def test_an_empty_required_group_counts_as_missing_unless_the_event_annuls():
    event = good("health.hospitalized")
    event.groups["stay"] = {}
    with pytest.raises(DataError) as refused:
        encode_event(event)
    assert (refused.value.code, refused.value.field) == ("E-FIELD-MISSING", "stay")
    event.lifecycle = "annulled"
    assert decode_event(encode_event(event)).groups["stay"] == {}


def test_more_combinations_of_groups_than_are_kept_are_still_written():
    groups = CATALOGUE.events["category.granted"].groups
    event = good("category.granted")
    kept = event.groups["category"]
    for number in range(600):
        chosen = [name for place, name in enumerate(groups) if number >> place & 1]
        event.groups = {name: {} for name in chosen} | {"category": kept}
        assert decode_event(encode_event(event)) == event


@pytest.mark.parametrize("path", sorted((FOLDER / "broken").glob("*.json")), ids=lambda p: p.stem)
def test_a_broken_example_is_refused_with_its_code_and_field(path):
    tree, event = example(path)
    with pytest.raises(DataError) as refused:
        decode_event(bytes.fromhex(tree["hex"])) if event is None else encode_event(event)
    assert refused.value.code == tree["expect"]
    if event is not None:
        assert refused.value.field == tree["field"]


def test_an_error_names_the_field_and_never_its_value():
    event = good("household.changed")
    event.groups["household"]["members"][1]["valid_from"] = "99068219800101001X"
    with pytest.raises(DataError) as refused:
        encode_event(event)
    assert refused.value.field == "household.members[1].valid_from"
    assert "9906" not in str(refused.value)


def test_the_order_of_groups_does_not_change_the_bytes():
    event = good("health.hospitalized")
    turned = good("health.hospitalized")
    turned.groups = dict(reversed(turned.groups.items()))
    assert encode_event(event) == encode_event(turned)


def test_a_group_that_is_none_counts_as_not_provided():
    event = good("health.hospitalized")
    value = encode_event(event)
    event.groups["contact"] = None
    event.groups["id"]["sex"] = None
    assert encode_event(event) == value


def test_ciphertext_of_a_group_survives_both_ways():
    event = good("health.hospitalized")
    event.groups["id_sealed"] = {"sealed": b"\1\2\3"}
    assert decode_event(encode_event(event)).groups["id_sealed"] == {"sealed": b"\1\2\3"}


def test_half_a_character_is_refused():
    event = good("health.hospitalized")
    event.groups["stay"]["hospital"] = "\ud83d"
    with pytest.raises(DataError) as refused:
        event_encoder(event.type)(event)
    assert (refused.value.code, refused.value.field) == ("E-SCHEMA-BODY", "stay.hospital")


def envelope(**more):
    return {
        "copy_id": "c",
        "type": "referral.created",
        "subscription": "s",
        "occurred_at": 1_741_000_000_000,
        "lifecycle": "created",
        "correlation_id": "k",
        "jurisdiction": "320682",
        "rule_id": "RG-15",
        "rule_version": "1",
        "reason_zh": "",
        "reason_en": "",
        "mask_version": "1",
        "masked": [],
        "legal_basis": "",
        "purpose": "",
        "catalog_id": "",
    } | more


@pytest.mark.parametrize("program", sorted(CATALOGUE.grants))
def test_a_copy_holds_granted_fields_only(program):
    granted = CATALOGUE.grants[program].groups
    for name, group in CATALOGUE.groups.items():
        for field in group.fields:
            if field in granted.get(name, ()):
                continue
            with pytest.raises(DataError) as refused:
                encode_copy(program, {"envelope": envelope(), name: {field: None}})
            assert refused.value.code == "E-SCHEMA-BODY"


def test_a_copy_comes_back_and_another_program_cannot_read_it():
    copy = {
        "envelope": envelope(referral_id="R-1"),
        "person_ref": "0" * 26,
        "area": {"residence_area": "320682"},
        "category": {"category": "DIBAO", "effective_from_month": "2025-04"},
        "meter": {"meter_account": "M-1"},
    }
    value = encode_copy("electricity-relief", copy)
    assert decode_copy("electricity-relief", value) == copy
    with pytest.raises(DataError) as refused:
        decode_copy("medical-aid", value)
    assert refused.value.code == "E-SCHEMA-ID"
    with pytest.raises(DataError) as refused:
        decode_event(value)
    assert refused.value.code == "E-SCHEMA-ID"


AGREED = {
    "subscription": "s",
    "mask_version": "1",
    "legal_basis": "Art. 1",
    "purpose": "aid",
    "catalog_id": "C-1",
}


@pytest.mark.parametrize("program", sorted(CATALOGUE.grants))
def test_copies_of_one_receiver_are_the_same_bytes_with_constants_written_ahead(program):
    schema = CATALOGUE.schemas_by_id[CATALOGUE.schema_id(f"programs/{program}.avsc")]
    encoder = CopyEncoder(program, AGREED)

    @settings(max_examples=20, deadline=None)
    @given(values(schema, names_of(schema)), st.sets(st.sampled_from(sorted(AGREED))))
    def compared(copy, later):
        copy = copy | {"envelope": copy["envelope"] | AGREED}
        assert encoder.encode(copy) == encode_copy(program, copy)
        assert encoder.encode(dict(reversed(copy.items()))) == encode_copy(program, copy)
        fewer = {name: text for name, text in AGREED.items() if name not in later}
        assert CopyEncoder(program, fewer).encode(copy) == encode_copy(program, copy)

    compared()


def test_an_encoder_with_constants_refuses_what_is_not_granted():
    encoder = CopyEncoder("medical-aid", AGREED)
    copy = {"envelope": envelope(**AGREED), "person_ref": "0" * 26}
    for wrong in ({"unheard_of": {}}, {"id": {"unheard_of": "x"}}, {"person_ref": 1}):
        with pytest.raises(DataError) as refused:
            encoder.encode(copy | wrong)
        assert refused.value.code == "E-SCHEMA-BODY"
        assert refused.value.field in {"unheard_of", "id.unheard_of", "person_ref"}


def test_a_receiver_without_a_grant_gets_nothing():
    with pytest.raises(DataError) as refused:
        encode_copy("media", {"envelope": envelope()})
    assert refused.value.code == "E-TYPE-UNKNOWN"


def test_a_roster_and_a_disposition_travel_with_their_rows():
    copy = {
        "envelope": envelope(type="roster.snapshot"),
        "roster": {"snapshot_id": "S", "period": "2025-Q1", "rows": 1, "part": 1, "parts": 1},
        "rows": [{"row_key": "k", "id": {"name": "示例甲"}, "care": {"care_level": "FULL_CARE"}}],
        "disposition": {"list_ref": "L", "rows": [{"row_no": 1, "outcome": "case_opened"}]},
    }
    assert decode_copy("poverty-alleviation", encode_copy("poverty-alleviation", copy)) == copy


def test_the_content_digest_sees_values_and_not_the_order_of_keys():
    assert content_digest({"a": 1, "b": 2}) == content_digest({"b": 2, "a": 1})
    assert content_digest({"a": 1}) != content_digest({"a": 2})
    assert len(content_digest({})) == 8
