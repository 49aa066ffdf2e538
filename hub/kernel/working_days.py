"""Working days: so that a holiday is no silence. The calendar is a file, renewed each year."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import yaml

from hub.kernel.clocks import from_epoch_ms
from hub.kernel.errors import ConfigurationError

_DAY_MS = 86_400_000


class Calendar:
    """Which days are worked.

    Args:
        holidays: Days off besides Saturday and Sunday.
        working: Saturdays and Sundays that are worked.
    """

    def __init__(self, holidays: frozenset[date], working: frozenset[date]) -> None:
        self._holidays, self._working = holidays, working

    def is_working(self, day: date) -> bool:
        """Whether offices work on that day."""
        return day in self._working or (day.weekday() < 5 and day not in self._holidays)

    def working_ms(self, start: int, end: int) -> int:
        """How much of a span falls on working days, ms; both ends are ms since 1970.

        Whole days count, from midnight to midnight in Asia/Shanghai: offices report at night, too.
        """
        if end <= start:
            return 0
        total, at = 0, start
        while at < end:
            moment = from_epoch_ms(at)
            midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
            following = int((midnight + timedelta(days=1)).timestamp() * 1000)
            if self.is_working(moment.date()):
                total += min(following, end) - at
            elif end - at > 400 * _DAY_MS:
                # Years of silence need no exact count.
                return end - start
            at = following
        return total


def load(path: Path | None = None) -> Calendar:
    """The calendar of a file; by default the one of the package.

    Raises:
        ConfigurationError: the file is missing or wrong.
    """
    try:
        text = (
            path.read_text("utf-8")
            if path
            else (files("hub.kernel") / "data" / "working_days.yaml").read_text("utf-8")
        )
        found = yaml.safe_load(text)
        days = (
            first + timedelta(days=n)
            for first, last in found["holidays"]
            for n in range((last - first).days + 1)
        )
        return Calendar(frozenset(days), frozenset(found["working"]))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"The calendar of working days cannot be read: {type(error).__name__}.",
            hint="It needs 'holidays' (pairs of first and last day) and 'working' (days).",
            message_zh="工作日历无法读取:需要 holidays(首日、末日成对)和 working(日期)。",
        ) from error
