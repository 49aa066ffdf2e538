"""Histories: series of figures for small lines and charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.console.contexts import Console
from hub.console.languages import mark
from hub.store import pictures
from hub.store.pictures import Level

Points = list[tuple[int, float | None]]

SPANS: dict[str, tuple[Level, str]] = {
    "1h": (pictures.LEVELS[0], mark("1 hour")),
    "24h": (pictures.LEVELS[1], mark("24 hours")),
    "10d": (pictures.LEVELS[2], mark("10 days")),
}
"""Choice in the address → resolution and its name."""
_SPARK_POINTS = 60


def level_of(span: str) -> Level:
    """The resolution of a choice; an unknown one is the hour."""
    return SPANS.get(span, SPANS["1h"])[0]


async def recent(console: Console, keys: list[str], now: int) -> dict[str, list[float | None]]:
    """The last five minutes of series, for small lines."""
    found = await pictures.history(console.pool, keys, pictures.LEVELS[0], now)
    return {key: [value for _, value in points][-_SPARK_POINTS:] for key, points in found.items()}


async def long(console: Console, keys: list[str], span: str, now: int) -> dict[str, Points]:
    """Series over a chosen span."""
    return await pictures.history(console.pool, keys, level_of(span), now)


def chart(series: Sequence[tuple[str, Points]], unit: str) -> dict[str, Any]:
    """What the page's script draws: names are English texts, translated in the template.

    Args:
        series: Name and points.
        unit: Of the values.
    """
    return {
        "unit": unit,
        "series": [
            {
                "name": name,
                "data": [[at, None if v is None else round(v, 2)] for at, v in points],
            }
            for name, points in series
        ],
    }
