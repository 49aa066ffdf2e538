"""Stamps that are late, wrong, out of order or told twice are counted for their department."""

from __future__ import annotations

from hub.monitoring.time_quality import Seen, TimeQuality

NOW = 1_800_000_000_000
DAY = 86_400_000


def seen(number: int, **changes: int | bytes) -> Seen:
    plain = Seen("health", f"e{number}", NOW - 1000, NOW - 500, NOW, b"p")
    return plain._replace(**changes)


def test_each_flaw_is_counted_once_and_the_rest_are_well() -> None:
    quality = TimeQuality()
    quality.note(
        [
            seen(1),
            seen(1),
            seen(2, occurred=NOW - 3 * DAY, key=b"q"),
            seen(3, recorded=NOW + 2 * DAY, key=b"r"),
            seen(4, occurred=NOW - 2000),
            seen(5, occurred=NOW - 900),
        ]
    )
    (found,) = quality.counts(NOW)
    assert (found.events, found.duplicate, found.late) == (6, 1, 1)
    assert (found.skewed, found.out_of_order) == (1, 1)


def test_an_hour_later_nothing_is_counted_any_more() -> None:
    quality = TimeQuality()
    quality.note([seen(1)])
    assert quality.counts(NOW + 2 * 3_600_000) == []
