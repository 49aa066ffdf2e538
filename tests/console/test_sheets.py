"""Sheets of many rows, and counts that are shown with their time."""

from __future__ import annotations

import asyncio

import pytest

from hub.console import counts
from hub.console.counts import Counts
from hub.console.sheets import sheet


@pytest.mark.parametrize(
    ("given", "number", "first", "shown"),
    [
        ("", 1, 1, 50), ("1", 1, 1, 50), ("3", 3, 101, 20), ("99", 3, 101, 20), ("0", 1, 1, 50),
        ("-1", 1, 1, 50), ("x", 1, 1, 50), ("9" * 40, 1, 1, 50),
    ],
)  # fmt: skip
def test_a_sheet_is_the_nearest_to_what_the_address_asks(given, number, first, shown):
    found = sheet(range(120), given, 50)
    assert (found.number, found.first, len(found.rows)) == (number, first, shown)
    assert (found.last, found.all) == (3, 120)


def test_no_rows_are_one_empty_sheet():
    assert sheet([], "2", 50) == ([], 1, 1, 0, 0)


async def test_a_count_is_made_once_for_all_and_anew_only_when_it_has_aged(monkeypatch):
    made = 0

    async def make() -> int:
        nonlocal made
        made += 1
        await asyncio.sleep(0.01)
        return made

    kept = Counts(lambda: 7)
    found = await asyncio.gather(*(kept.of("day", make) for _ in range(5)))
    assert [one.value for one in found] == [1] * 5
    assert found[0].at == 7
    assert (await kept.of("day", make)).value == 1
    assert (await kept.of("another", make)).value == 2
    monkeypatch.setattr(counts, "FRESH_SECONDS", 0.0)
    assert (await kept.of("day", make)).value == 1
    await asyncio.sleep(0.05)
    assert (await kept.of("day", make)).value == 3
    monkeypatch.setattr(counts, "OLD_SECONDS", 0.0)
    await asyncio.sleep(0.05)
    before = made
    assert (await kept.of("day", make)).value == before + 1


async def test_a_count_that_fails_is_told_to_whoever_waits_and_made_anew_for_the_next():
    answers = iter([OSError("away"), 5])

    async def make() -> int:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    kept = Counts(lambda: 7)
    with pytest.raises(OSError, match="away"):
        await kept.of("day", make)
    assert (await kept.of("day", make)).value == 5


async def test_no_more_counts_are_kept_than_a_console_needs():
    kept = Counts(lambda: 7)

    async def make() -> int:
        return 1

    for number in range(200):
        await kept.of(number, make)
    assert len(kept._kept) <= 64
