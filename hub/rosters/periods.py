"""Quarters: their names, when they close, and the timers that close them."""

from __future__ import annotations

from datetime import date, datetime

from hub.kernel.clocks import SHANGHAI, epoch_ms
from hub.model.decisions import Schedule
from hub.sdk.profiles import Profile

KIND = "roster_close"


def quarter(day: date) -> str:
    """Name of the quarter of a day: ``2025-Q1``."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def closes(period: str) -> datetime:
    """The instant a quarter is over, Asia/Shanghai."""
    year, number = int(period[:4]), int(period[-1])
    year, month = (year + 1, 1) if number == 4 else (year, number * 3 + 1)
    return datetime(year, month, 1, tzinfo=SHANGHAI)


def following(period: str) -> str:
    """The quarter after a quarter."""
    return quarter(closes(period).date())


def timer(recipient: str, period: str) -> Schedule:
    """The timer that closes a quarter for one recipient."""
    return Schedule(
        f"roster:{recipient}:{period}",
        epoch_ms(closes(period)),
        KIND,
        {"recipient": recipient, "period": period},
    )


def first_timers(profile: Profile, today: date) -> tuple[Schedule, ...]:
    """Timers of the present quarter, set when a hub starts; setting them again is harmless."""
    return tuple(timer(rule.recipient, quarter(today)) for rule in profile.rosters)
