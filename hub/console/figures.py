"""Figures: how counts, spans and instants look on a screen that is read across a room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from markupsafe import Markup

from hub.kernel.clocks import from_epoch_ms
from hub.monitoring.spans import NONE, span


def count(value: float | None) -> str:
    """A count with groups of three; ``–`` where nothing is known."""
    return NONE if value is None else f"{value:,.0f}"


def rate(value: float | None) -> str:
    """Events per second: one place below 100, none above."""
    if value is None:
        return NONE
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def moment(ms: int | None, now: int | None = None) -> str:
    """An instant in Asia/Shanghai; today's ones without the date."""
    if ms is None:
        return NONE
    at = from_epoch_ms(ms)
    if now is not None and from_epoch_ms(now).date() == at.date():
        return f"{at:%H:%M:%S}"
    return f"{at:%Y-%m-%d %H:%M:%S}"


def ago(ms: int | None, now: int, lang: str) -> str:
    """How long ago."""
    return NONE if ms is None else span(max(0, now - ms), lang)


def percent(value: float | None) -> str:
    """A share of 1 in percent."""
    return NONE if value is None else f"{value:.1%}"


def line(values: Sequence[float | None], width: int = 96, height: int = 22) -> Markup:
    """A small line of the last values, drawn by attributes only; gaps stay gaps."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup("")
    top, last = max(*known, 1e-9), len(values) - 1
    runs: list[list[str]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        x, y = width * at / last, height - 1 - (height - 3) * value / top
        runs[-1].append(f"{x:.1f},{y:.1f}")
    lines = "".join(f'<polyline points="{" ".join(run)}"/>' for run in runs if len(run) > 1)
    return Markup(  # noqa: S704 - figures only
        f'<svg class="spark" viewBox="0 0 {width} {height}" preserveAspectRatio="none"'
        f' aria-hidden="true">{lines}</svg>'
    )


def days(value: timedelta, lang: str) -> str:
    """A declared span."""
    return span(value.total_seconds() * 1000, lang)


FILTERS: dict[str, Callable[..., Any]] = {
    "count": count,
    "rate": rate,
    "span": span,
    "moment": moment,
    "ago": ago,
    "percent": percent,
    "line": line,
    "days": days,
}
