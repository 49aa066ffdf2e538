"""Quiet logs: what libraries write for every request, or dozens of times a second, is left out."""

from __future__ import annotations

import logging
import time

_EVERY = 5.0
_EXPECTED = ("UnknownMemberIdError", "GroupCoordinatorNotAvailableError")
"""Part of every first join and every rejoin."""


class RateLimit(logging.Filter):
    """Lets one line of each kind pass every five seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if any(name in record.getMessage() for name in _EXPECTED):
            return False
        place = record.pathname, record.lineno
        now = time.monotonic()
        if now - self._last.get(place, -_EVERY) < _EVERY:
            return False
        self._last[place] = now
        return True


def install() -> None:
    """Limit the loggers of libraries, once for each process."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    limit = RateLimit()
    for name in (
        "aiokafka.client",
        "aiokafka.conn",
        "aiokafka.cluster",
        "aiokafka.consumer.fetcher",
        "aiokafka.consumer.group_coordinator",
        "aiokafka.consumer.consumer",
        "aiokafka.producer.sender",
        "aiokafka.producer.producer",
    ):
        logger = logging.getLogger(name)
        if not any(isinstance(one, RateLimit) for one in logger.filters):
            logger.addFilter(limit)
