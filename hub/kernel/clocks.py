"""Clocks: the system's, and test clocks read from a file.

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


class OffsetClock:
    """A test clock: the computer's, wrong by the seconds that stand in a file, e.g. ``-3600``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def now(self) -> datetime:
        """The instant shifted by the file's seconds, with zone Asia/Shanghai."""
        return datetime.fromtimestamp(time.time() + float(self.path.read_text()), SHANGHAI)


_TEST_CLOCKS: dict[str, type[FileClock | OffsetClock]] = {"file": FileClock, "offset": OffsetClock}


def clock_from(setting: str, *, synthetic_people: bool) -> Clock:
    """Build the clock named by a setting.

    Args:
        setting: ``system``, ``file:/path`` or ``offset:/path``.
        synthetic_people: Whether this hub holds invented people only.

    Raises:
        ConfigurationError: a test clock where real people are on record, or an unknown setting.
    """
    if setting == "system":
        return SystemClock()
    kind, _, path = setting.partition(":")
    if kind not in _TEST_CLOCKS or not path:
        raise ConfigurationError(
            f"HUB_CLOCK={setting} is not known.",
            hint="Use 'system', 'file:PATH' or 'offset:PATH'.",
            message_zh=f"HUB_CLOCK={setting} 无效;可用 system、file:路径 或 offset:路径。",
        )
    if not synthetic_people:
        raise ConfigurationError(
            "A test clock is refused where real people are on record.",
            hint="Unset HUB_CLOCK, or set HUB_SYNTHETIC_PEOPLE=1 on a test system.",
            message_zh="系统中可能有真实人员,不允许使用测试时钟;请取消 HUB_CLOCK。",
        )
    return _TEST_CLOCKS[kind](Path(path))


def rfc3339(instant: datetime) -> str:
    """RFC 3339 text with milliseconds and offset, e.g. ``2025-04-01T00:00:00.000+08:00``."""
    return instant.isoformat(timespec="milliseconds")


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00Z."""
    return int(instant.timestamp() * 1000)


def from_epoch_ms(value: int) -> datetime:
    """The instant of a Kafka timestamp, with zone Asia/Shanghai."""
    return datetime.fromtimestamp(value / 1000, UTC).astimezone(SHANGHAI)
