"""Amounts are exact, in fen, with the unit that the schema declares."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel.amounts import PLACES, fen, fen_of, text_of, yuan, yuan_of
from hub.kernel.errors import DataError


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("12.34", None, 1234),
        ("0.00", None, 0),
        ("12", None, 1200),
        ("12.3", None, 1230),
        ("12.3400", None, 1234),
        ("-12.05", None, -1205),
        ("1,234,567.80", None, 123456780),
        ("¥12.00", None, 1200),
        ("￥１２．００", None, 1200),
        (" 12.00 元", None, 1200),
        ("12元整", None, 1200),
        ("4737万元", None, 4_737_000_000),
        ("0.000001万", None, 1),
        ("1234分", None, 1234),
        ("1234", "分", 1234),
        ("3.2", "万元", 3_200_000),
        ("3.2万", "万元", 3_200_000),
        ("12.34元", "元", 1234),
        ("999999999999999.99", None, 99_999_999_999_999_999),
    ],
)
def test_an_amount_is_read_exactly(text, unit, expected):
    assert fen(text, unit) == expected
    assert yuan(text, unit) == Decimal(expected) / 100
    assert yuan(text, unit).as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("", None),
        (".", None),
        (".50", None),
        ("12.", None),
        ("12.345", None),
        ("1e3", None),
        ("1_0.00", None),
        ("²1.00", None),
        ("+12.00", None),
        ("--1", None),
        ("1,23.00", None),
        ("NaN", None),
        ("12.5分", None),
        ("1.5", "分"),
        ("3万", "元"),
        ("3元", "万元"),
        ("1" * 16 + ".00", None),
        ("٣.00", None),
    ],
)
def test_what_is_no_exact_amount_is_refused(text, unit):
    with pytest.raises(DataError, match="E-AMOUNT"):
        fen(text, unit)


def test_an_unknown_unit_is_a_programming_error():
    with pytest.raises(ValueError, match="unit"):
        fen("1", "角")


@given(st.integers(-(10**16), 10**16))
def test_text_and_fen_are_inverse(amount):
    assert fen(text_of(amount)) == amount
    assert fen_of(yuan_of(amount)) == amount
    assert str(yuan_of(amount)) == text_of(amount)


@given(st.integers(0, 10**12), st.sampled_from(sorted(PLACES)))
def test_every_unit_agrees_with_exact_arithmetic(amount, unit):
    text = str(Decimal(amount).scaleb(-PLACES[unit]).quantize(Decimal(1).scaleb(-PLACES[unit])))
    if "E" not in text:
        assert fen(text, unit) == amount


@pytest.mark.parametrize(
    "amount", [Decimal("1.005"), Decimal("NaN"), Decimal("Infinity"), Decimal("1E30")]
)
def test_a_decimal_that_is_no_amount_is_refused(amount):
    with pytest.raises(DataError, match="E-AMOUNT"):
        fen_of(amount)
