"""Conditions over every type of variable, asked more than once."""

import pytest

from hub.sdk.rules import RuleEngine

ENGINE = RuleEngine({"need.needs": "strings", "need.need_kind": "string", "size": "int"})


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ('"care" in need.needs', {"need.needs": ["care", "school"]}, True),
        ('"care" in need.needs', {"need.needs": []}, False),
        ('need.need_kind == "care"', {"need.need_kind": "care"}, True),
        ("size > 2", {"size": 2}, False),
    ],
)
def test_a_condition_answers_the_same_each_time_it_is_asked(text, values, holds):
    condition = ENGINE.compile(text, "test")
    assert [condition(values), condition(values)] == [holds, holds]
