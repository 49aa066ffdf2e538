"""The compatibility checker against avro's own, apart from what that one is known to miss."""

import json

import avro.schema
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.contracts.compatibility import check, readable

PRIMITIVES = ["int", "long", "float", "double", "string", "bytes", "boolean"]


def record(*fields, **more):
    return {"type": "record", "name": "R", "namespace": "t", "fields": list(fields), **more}


def field(name, kind, **more):
    return {"name": name, "type": kind, **more}


def enums(symbols, default):
    schema = {"type": "enum", "name": "E", "symbols": symbols}
    return schema | ({"default": symbols[0]} if default else {})


SIMPLE = st.sampled_from(PRIMITIVES)
KINDS = st.one_of(
    SIMPLE,
    SIMPLE.map(lambda kind: ["null", kind]),
    SIMPLE.map(lambda kind: {"type": "array", "items": kind}),
    st.builds(enums, st.lists(st.sampled_from("ABCD"), min_size=1, unique=True), st.booleans()),
    st.sampled_from([4, 8]).map(lambda size: {"type": "fixed", "name": "F", "size": size}),
)


@st.composite
def records(draw):
    fields = []
    named = set()
    for name in draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=4)):
        kind = draw(KINDS)
        label = kind.get("name") if isinstance(kind, dict) else None
        if label in named:
            continue
        named.add(label) if label else None
        nullable = isinstance(kind, list)
        fields.append(
            field(name, kind, **({"default": None} if nullable and draw(st.booleans()) else {}))
        )
    return record(*fields)


@settings(max_examples=300, deadline=None)
@given(records(), records())
def test_the_verdict_is_that_of_avro(reader, writer):
    oracle = ReaderWriterCompatibilityChecker().get_compatibility(
        reader=avro.schema.parse(json.dumps(reader)), writer=avro.schema.parse(json.dumps(writer))
    )
    compatible = oracle.compatibility == SchemaCompatibilityType.compatible
    assert (not readable(reader, writer)) == compatible


DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (DECIMAL, DECIMAL | {"scale": 4}, "/a"),
        (DECIMAL, DECIMAL | {"precision": 9}, "/a"),
        (DECIMAL, "bytes", "/a"),
        (
            {"type": "long", "logicalType": "timestamp-millis"},
            {"type": "long", "logicalType": "timestamp-micros"},
            "/a",
        ),
        (["null", DECIMAL], ["null", DECIMAL | {"scale": 0}], "/a"),
        ({"type": "int", "logicalType": "date"}, "long", "/a"),
    ],
)
def test_a_change_that_turns_values_into_others_is_refused_where_avro_is_silent(old, new, path):
    found = check(record(field("a", new)), [record(field("a", old))], "BACKWARD")
    assert [finding.path for finding in found] == [path]
    assert found[0].zh != found[0].en


def test_a_renamed_record_with_an_alias_is_read():
    old, new = record(), record() | {"name": "S", "aliases": ["R"]}
    assert readable(new, old) == []
    assert [finding.kind for finding in readable(record() | {"name": "S"}, old)] == ["name"]


def test_a_renamed_field_with_an_alias_is_read():
    old = record(field("a", "string"))
    assert readable(record(field("b", "string", aliases=["a"])), old) == []


NULLABLE = field("b", ["null", "string"], default=None)


@pytest.mark.parametrize(
    ("mode", "new", "kinds"),
    [
        ("FULL", record(field("a", "int"), NULLABLE), []),
        ("FULL", record(field("a", "int"), field("b", "string")), ["default"]),
        ("BACKWARD", record(), []),
        ("FORWARD", record(), ["default"]),
        ("FULL", record(field("a", "long")), ["type"]),
        ("BACKWARD", record(field("a", "long")), []),
        ("NONE", record(field("a", "string")), []),
    ],
)
def test_modes_ask_one_direction_or_both(mode, new, kinds):
    assert [f.kind for f in check(new, [record(field("a", "int"))], mode)] == kinds


def test_transitive_modes_ask_every_version_and_others_the_last():
    olds = [record(field("a", "string")), record(field("a", "int"))]
    new = record(field("a", "int"))
    assert check(new, olds, "FULL") == []
    assert {f.path for f in check(new, olds, "FULL_TRANSITIVE")} == {"/a"}


def test_the_place_is_named_inside_unions_and_lists():
    inner = {"type": "record", "name": "I", "fields": [field("x", "int")]}
    other = {"type": "record", "name": "I", "fields": [field("x", "string")]}
    old = record(field("a", ["null", {"type": "array", "items": inner}]))
    new = record(field("a", ["null", {"type": "array", "items": other}]))
    assert [f.path for f in readable(new, old)] == ["/a/[]/x"]


def test_a_recursive_type_ends():
    tree = record(field("next", ["null", "t.R"], default=None))
    assert check(tree, [tree], "FULL_TRANSITIVE") == []


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="mode"):
        check(record(), [], "SIDEWAYS")
