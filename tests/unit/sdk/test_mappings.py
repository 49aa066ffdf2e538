"""Mapping helpers: values in the hub's terms, errors with the field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel.errors import DataError
from hub.sdk import mappings as m
from hub.sdk.instants import day_of, instant_ms, midnight

DAY = 20148  # 2025-03-01


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2025-03-01", midnight(DAY)),
        ("20250301", midnight(DAY)),
        ("2025-03-01 08:30:15", midnight(DAY) + 30_615_000),
        ("20250301083015", midnight(DAY) + 30_615_000),
        ("2025/3/1 08:30", midnight(DAY) + 30_600_000),
        ("2025-03-01T00:30:15Z", midnight(DAY) + 30_615_000),
        ("2025-03-01T08:30:15.250+08:00", midnight(DAY) + 30_615_250),
        ("2025年3月1日", midnight(DAY)),
    ],
)
def test_an_instant_is_read(text, ms):
    assert instant_ms(text) == ms


@pytest.mark.parametrize(
    "text", ["", "2025-03-01 24:00:00", "2025-13-01 01:00", "昨天", "2025-03-01T99:00Z"]
)
def test_a_wrong_instant_is_refused_with_its_field(text):
    with pytest.raises(DataError) as refused:
        m.instant(text, "入院时间")
    assert refused.value.code in {"E-DATE", "E-FIELD-MISSING"}
    assert refused.value.field == "入院时间"


@given(st.integers(-20_000, 60_000), st.integers(0, 86_399_999))
def test_every_moment_of_a_day_belongs_to_it(day, ms):
    assert day_of(midnight(day) + ms) == day


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: m.text("  ", "f"), "E-FIELD-MISSING"),
        (lambda: m.day(None, "f"), "E-FIELD-MISSING"),
        (lambda: m.day("2025-02-30", "f"), "E-DATE"),
        (lambda: m.money("12.345", "f"), "E-AMOUNT"),
        (lambda: m.money(None, "f"), "E-FIELD-MISSING"),
        (lambda: m.code("3", {"1": 1}, "f"), "E-CODE-UNKNOWN"),
        (lambda: m.code(None, {"1": 1}, "f"), "E-FIELD-MISSING"),
        (lambda: m.category("贫困户甲", "f"), "E-CODE-UNKNOWN"),
        (lambda: m.category("EXITED", "f"), "E-CODE-UNKNOWN"),
        (lambda: m.whole("1.5", "f"), "E-FIELD-TYPE"),
        (lambda: m.counted("v1", "f"), "E-FIELD-TYPE"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_field(call, code):
    with pytest.raises(DataError) as refused:
        call()
    assert (refused.value.code, refused.value.field) == (code, "f")


@pytest.mark.parametrize(
    ("written", "code"),
    [("五保", "TEKUN"), ("低a保", "DIBAO"), ("DIBAO", "DIBAO"), ("低保边缘", "EDGE")],
)
def test_other_names_of_a_category_are_one_category(written, code):
    assert m.category(written, "f") == code


@given(st.integers(0, 10**14), st.integers(0, 10**14))
def test_counted_versions_compare_as_text_like_numbers(one, other):
    assert (m.counted(one, "v") < m.counted(str(other), "v")) == (one < other)
