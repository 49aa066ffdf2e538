"""Progress: what the watchdog and the health page look at."""

from __future__ import annotations

import time


class Progress:
    """Last signs of life of one stage.

    Attributes:
        lag: Records not yet worked, as last measured.
        assigned: Partitions held.
        stopped: Partitions stopped with an alarm, with the reason.
    """

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.lag = 0
        self.assigned = 0
        self.stopped: dict[tuple[str, int], str] = {}
        self.ready = False
        self._moved = time.monotonic()
        self._outside: float | None = None

    def joining(self, waits: bool) -> None:
        """Note whether the group takes its time to say what is ours, though brokers answer."""
        if not waits:
            self._outside = None
        elif self._outside is None:
            self._outside = time.monotonic()

    @property
    def outside_seconds(self) -> float:
        """For how long the group has not said what is ours."""
        return 0.0 if self._outside is None else time.monotonic() - self._outside

    def moved(self) -> None:
        """Something was committed, or a known fault is being ridden out."""
        self._moved = time.monotonic()

    def measured(self, lag: int, assigned: int) -> None:
        """Note the lag; without lag there is nothing to make progress with."""
        self.lag, self.assigned = lag, assigned
        if lag == 0 or assigned == 0:
            self.moved()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last progress while there was something to do."""
        return time.monotonic() - self._moved
