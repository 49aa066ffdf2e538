"""Dates in every form departments send."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel import dates
from hub.kernel.dates import date_of, days, days_of, from_excel, parse
from hub.kernel.errors import DataError

NEW_YEAR = date(2026, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "20260101",
        "2026-01-01",
        "2026-1-1",
        "2026/1/1",
        "2026/01/01",
        "2026.1.1",
        "2026年1月1日",
        "2026年01月01号",
        "2026年1月1",
        "２０２６年１月１日",
        "２０２６／１／１",
        " 2026-01-01\t",
        "2026-01-01 00:00:00",
        "2026-01-01T00:00:00.000",
        "2026/1/1 0:00",
        "46023",
        "46023.0",
    ],
)
def test_every_form_of_a_date_is_the_same_day(text):
    assert parse(text) == NEW_YEAR
    assert days(text) == days(text) == days_of(NEW_YEAR) == 20454


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "202601",
        "26-01-01",
        "2026-02-30",
        "2025-02-29",
        "2026-13-01",
        "2026-1/1",
        "20260132",
        "2026-01-01 08:30",
        "46023.5",
        "1026-01-01",
        "9999-12-31",
        "2026-01-01x",
        "٢٠٢٦٠١٠١",
        "0046023",
    ],
)
def test_what_is_no_date_is_refused(text):
    for read in (parse, days):
        with pytest.raises(DataError, match="E-DATE"):
            read(text)


@given(st.dates(date(1800, 1, 1), date(2999, 12, 31)))
def test_written_dates_are_read_back(day):
    for text in (
        f"{day:%Y%m%d}",
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
    ):
        assert date_of(days(text)) == parse(text) == day


@given(st.dates(date(1927, 6, 1), date(2173, 1, 1)))
def test_excel_serials_count_from_the_end_of_1899(day):
    assert parse(str((day - date(1899, 12, 30)).days)) == day


def test_excel_knows_two_first_days():
    assert from_excel(61) == date(1900, 3, 1)
    assert from_excel(46023.0) == NEW_YEAR
    assert from_excel((NEW_YEAR - date(1904, 1, 1)) / timedelta(days=1), date1904=True) == NEW_YEAR


@pytest.mark.parametrize("serial", [60, 0, -1, 46023.25, float("nan"), float("inf"), 400_000])
def test_an_excel_serial_that_is_no_whole_day_is_refused(serial):
    with pytest.raises(DataError, match="E-DATE"):
        from_excel(serial)


def test_the_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(dates, "KNOWN", {})
    monkeypatch.setattr(dates, "_KEPT", 3)
    for day in range(10, 30):
        days(f"2026-01-{day}")
    assert len(dates.KNOWN) <= 3
