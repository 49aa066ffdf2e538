"""Rates: a token bucket per key, told in every answer's headers."""

from __future__ import annotations

import math
import time
from typing import NamedTuple


class Verdict(NamedTuple):
    """What a bucket says: whether to go on, and the figures for the headers."""

    allowed: bool
    limit: int
    remaining: int
    reset: int
    """Seconds until one more request is allowed, or until the bucket is full."""

    def headers(self) -> dict[str, str]:
        """``RateLimit-*`` headers, and ``Retry-After`` on a refusal."""
        found = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }
        return found if self.allowed else found | {"Retry-After": str(self.reset)}


class Buckets:
    """One bucket per key; idle ones are forgotten.

    Args:
        rate: Requests per second in the long run.
        burst: Requests at once; by default two seconds' worth.
    """

    _KEPT = 4096

    def __init__(self, rate: int, burst: int | None = None) -> None:
        self.rate = rate
        self.burst = burst or 2 * rate
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, key: str, now: float | None = None, *, count: int = 1) -> Verdict:
        """Take from the bucket of a key.

        Args:
            key: Whose bucket.
            now: Monotonic seconds.
            count: How much; whoever has anything left gets all of it and pays it back by waiting.
        """
        at = time.monotonic() if now is None else now
        level, since = self._levels.pop(key, (float(self.burst), at))
        level = min(self.burst, level + (at - since) * self.rate)
        allowed = level >= 1
        level -= count * allowed
        if len(self._levels) >= self._KEPT:
            del self._levels[next(iter(self._levels))]
        self._levels[key] = level, at
        missing = self.burst - level if allowed and level >= 0 else 1 - level
        reset = max(1, math.ceil(missing / self.rate)) if missing else 0
        return Verdict(allowed, self.burst, max(0, int(level)), reset)
