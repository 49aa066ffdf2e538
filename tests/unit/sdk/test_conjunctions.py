from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk.conjunctions import Demand, demands
from hub.sdk.rules import RuleEngine, RuleError

ENGINE = RuleEngine({"a.x": "string", "a.y": "string", "flag": "bool", "n": "int"})
ATOMS = st.sampled_from(
    [
        'a.x == "1"',
        "a.x == '2'",
        'a.y in ["1", "2"]',
        'a.y != "1"',
        "flag",
        "n > 1",
        'a.x == "a && b || c ? (d"',
        '"1" == a.y',
        "10 / n == 5",
    ]
)
FILTERS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" && ".join),
        st.tuples(inner, inner).map(" || ".join),
        inner.map("({})".format),
        inner.map("!({})".format),
        st.tuples(inner, inner, inner).map("({0[0]} ? {0[1]} : {0[2]})".format),
    ),
    max_leaves=6,
)
VALUES = st.fixed_dictionaries(
    {
        "a.x": st.sampled_from(["", "1", "2", "a && b || c ? (d"]),
        "a.y": st.sampled_from(["", "1", "2", "3"]),
        "flag": st.booleans(),
        "n": st.integers(0, 3),
    }
)


@given(FILTERS, VALUES)
def test_a_condition_never_holds_against_what_it_demands(text, values):
    found = demands(text)
    try:
        held = ENGINE.compile(text, "test")(values)
    except RuleError:
        return
    if held:
        assert all(values[demand.variable] in demand.values for demand in found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('stay.hospital == "H17"', [Demand("stay.hospital", ("H17",))]),
        ("flag && a.x == '1'", [Demand("a.x", ("1",))]),
        ('a.x in ["1", "2"] && a.y == "3"', [Demand("a.x", ("1", "2")), Demand("a.y", ("3",))]),
        ('a.x == "1" || flag', []),
        ('flag ? a.x == "1" : a.x == "2"', []),
        ('(a.x == "1" || flag) && a.y == "2"', [Demand("a.y", ("2",))]),
        (r'a.x == "\u0031"', []),
        ('r"1" == a.x && a.y == r"2"', []),
        ('!(a.x == "1")', []),
    ],
)
def test_what_is_demanded(text, found):
    assert demands(text) == found
