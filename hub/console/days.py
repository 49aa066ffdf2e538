"""Days: a day of the address as a span of time, Asia/Shanghai."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from hub.kernel.clocks import SHANGHAI, epoch_ms, from_epoch_ms


class Day(NamedTuple):
    """A calendar day; instants are ms since 1970.

    Attributes:
        date: The day.
        since: Its first instant.
        until: The first instant after it.
        is_today: Whether it is not over yet.
    """

    date: dt.date
    since: int
    until: int
    is_today: bool

    @property
    def before(self) -> dt.date:
        """The day before."""
        return self.date - dt.timedelta(days=1)

    @property
    def after(self) -> dt.date:
        """The day after."""
        return self.date + dt.timedelta(days=1)


def day_of(text: str, now: int) -> Day:
    """The day that an address asks for.

    Args:
        text: ``2026-04-01``; anything else, and a day to come, is today.
        now: ms since 1970.
    """
    today = from_epoch_ms(now).date()
    try:
        wanted = min(dt.date.fromisoformat(text), today)
    except ValueError:
        wanted = today
    start = dt.datetime(wanted.year, wanted.month, wanted.day, tzinfo=SHANGHAI)
    end = start + dt.timedelta(days=1)
    return Day(wanted, epoch_ms(start), epoch_ms(end), wanted == today)


def instant_of(text: str) -> int | None:
    """A form's ``datetime-local`` in Asia/Shanghai, ms since 1970; None: it is none."""
    try:
        return epoch_ms(dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))
    except (ValueError, OverflowError):
        return None
