"""Breaker: pauses a receiver that fails altogether, and tries it again by itself."""

from __future__ import annotations

from typing import NamedTuple

THRESHOLD = 5
"""Failures in a row that open the breaker."""
PROBE_MS = 30_000
"""Pause of an open breaker before the next single try; doubles up to :data:`MOST_MS`."""
MOST_MS = 600_000


class Breaker(NamedTuple):
    """State of one receiver; a value, so it can be kept anywhere.

    Closed while few tries failed in a row. Then open: nothing is sent until ``open_until``.
    After that half open: one try, which closes it or opens it for longer. It drops nothing and
    is never off for good.

    Attributes:
        failures: Failures in a row.
        open_until: Nothing is sent until then, ms since 1970; also where the receiver asked
            for a pause.
    """

    failures: int = 0
    open_until: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the receiver counts as failing altogether."""
        return self.failures >= THRESHOLD

    def allowed(self, now: int, limit: int) -> int:
        """How many copies may be tried now.

        Args:
            now: ms since 1970.
            limit: As many as a healthy receiver gets.
        """
        if now < self.open_until:
            return 0
        return min(1, limit) if self.is_open else limit

    def paused(self, until: int) -> Breaker:
        """The state after the receiver asked to be left alone until then, ms since 1970."""
        return self._replace(open_until=max(self.open_until, until))

    def after(self, now: int, *, reached: bool) -> Breaker:
        """The state after a try.

        Args:
            now: ms since 1970.
            reached: The receiver answered for itself, if only with a refusal of the copy.
        """
        if reached:
            return Breaker()
        if self.is_open and now < self.open_until:
            # It was under way when the breaker opened and says nothing new.
            return self
        failures = self.failures + 1
        if failures < THRESHOLD:
            return Breaker(failures, self.open_until)
        doubled = min(failures - THRESHOLD, 10)
        return Breaker(failures, now + min(PROBE_MS << doubled, MOST_MS))
