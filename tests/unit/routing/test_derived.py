from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel.dates import date_of, days_of
from hub.routing import derived


@given(st.integers(0, 40_000))
def test_a_month_hides_the_day(day):
    text = derived.month(day)
    assert text == f"{date_of(day):%Y-%m}"


@pytest.mark.parametrize(
    ("code", "chapter"),
    [
        ("A00.1", "I"),
        ("C34.1", "II"),
        ("D48", "II"),
        ("D50", "III"),
        ("H59", "VII"),
        ("h60.0", "VIII"),
        ("S72", "XIX"),
        ("T14", "XIX"),
        ("U07.1", "XXII"),
        ("V01", "XX"),
        ("Z99", "XXI"),
        ("", None),
        (None, None),
    ],
)
def test_a_disease_code_becomes_its_chapter(code, chapter):
    assert derived.icd_chapter(code) == chapter


@pytest.mark.parametrize(
    ("fen", "band"),
    [(0, "0-1000"), (99_999, "0-1000"), (100_000, "1000-5000"), (5_000_000, "50000+")],
)
def test_an_amount_becomes_a_band(fen, band):
    assert derived.cost_band(fen) == band


def test_age_turns_on_the_birthday():
    born = days_of(date(2011, 4, 2))
    assert derived.age_band(born, days_of(date(2025, 4, 1))) == "0-13"
    assert derived.age_band(born, days_of(date(2025, 4, 2))) == "14-17"


def test_ability_to_work_tells_nothing_of_the_reason():
    make = derived.DERIVED["job", "work_ability"]
    assert make({"flags": {"serious_illness": True}}, 0) == "limited"
    assert make({"disability": {"grade": "1"}}, 0) == "limited"
    assert make({"flags": {"severe_disability": False}}, 0) == "full"
    assert make({}, 0) is None
