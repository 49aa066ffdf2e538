"""Instants out of what departments write: with a zone, or civil time in Asia/Shanghai."""

from __future__ import annotations

import re
from datetime import datetime

from hub.kernel.dates import days
from hub.kernel.errors import DataError
from hub.kernel.texts import narrow

DAY = 86_400_000
"""ms of a day."""
ZONE = 8 * 3_600_000
"""ms that Asia/Shanghai is ahead of UTC; China has had no daylight saving since 1992."""

_RUN = re.compile(r"[0-9]{14}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,6}))?)?")
_ZONED = re.compile(r".*[T ].*(?:Z|[+-][0-9]{2}:?[0-9]{2})")


def midnight(day: int) -> int:
    """Ms since 1970 at which a civil day begins in Asia/Shanghai."""
    return day * DAY - ZONE


def day_of(instant: int) -> int:
    """Days since 1970-01-01 of the civil day in Asia/Shanghai."""
    return (instant + ZONE) // DAY


def instant_ms(text: str) -> int:
    """Ms since 1970 of a date, a date with a time of day, or an RFC 3339 instant.

    Raises:
        DataError: ``E-DATE``.
    """
    plain = narrow(text).strip()
    if _RUN.fullmatch(plain):
        plain = f"{plain[:8]} {plain[8:10]}:{plain[10:12]}:{plain[12:]}"
    if _ZONED.fullmatch(plain):
        return _zoned(plain)
    day, gap, clock = plain.replace("T", " ").partition(" ")
    if not gap:
        return midnight(days(day))
    found = _CLOCK.fullmatch(clock.strip())
    if not found:
        raise DataError("E-DATE")
    hour, minute, second, part = found.groups("0")
    fraction = int(part.ljust(3, "0")[:3])
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    return midnight(days(day)) + seconds * 1000 + fraction


def _zoned(text: str) -> int:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise DataError("E-DATE") from None
