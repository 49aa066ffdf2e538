"""Clocks: the system's, and a test clock read from a file.

Everything that asks for the time asks a :class:`Clock`; SQL ``now()`` would be a second one.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

from hub.kernel.errors import ConfigurationError

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Civil time of every jurisdiction; China has had no daylight saving since 1992."""


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The instant, with zone Asia/Shanghai."""


class SystemClock:
    """The computer's clock."""

    def now(self) -> datetime:
        """The instant, with zone Asia/Shanghai."""
        return datetime.fromtimestamp(time.time(), SHANGHAI)


class FileClock:
    """A test clock: the RFC 3339 instant that stands in a file, moved by the test."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def now(self) -> datetime:
        """The instant in the file, with zone Asia/Shanghai."""
        return datetime.fromisoformat(self.path.read_text().strip()).astimezone(SHANGHAI)


def clock_from(setting: str, *, synthetic_people: bool) -> Clock:
    """Build the clock named by a setting.

    Args:
        setting: ``system`` or ``file:/path``.
        synthetic_people: Whether this hub holds invented people only.

    Raises:
        ConfigurationError: a test clock where real people are on record, or an unknown setting.
    """
    if setting == "system":
        return SystemClock()
    if not setting.startswith("file:"):
        raise ConfigurationError(
            f"HUB_CLOCK={setting} is not known.", hint="Use 'system' or 'file:PATH'."
        )
    if not synthetic_people:
        raise ConfigurationError(
            "A test clock is refused where real people are on record.",
            hint="Unset HUB_CLOCK, or set HUB_SYNTHETIC_PEOPLE=1 on a test system.",
        )
    return FileClock(Path(setting.removeprefix("file:")))


def rfc3339(instant: datetime) -> str:
    """RFC 3339 text with milliseconds and offset, e.g. ``2025-04-01T00:00:00.000+08:00``."""
    return instant.isoformat(timespec="milliseconds")


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00Z."""
    return int(instant.timestamp() * 1000)


def from_epoch_ms(value: int) -> datetime:
    """The instant of a Kafka timestamp, with zone Asia/Shanghai."""
    return datetime.fromtimestamp(value / 1000, UTC).astimezone(SHANGHAI)
