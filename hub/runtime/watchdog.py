"""Watchdog: a thread that ends the process when nothing moves any more.

A thread, because what hangs may be the event loop itself, or a fetch that a rebalance left
without a time-out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from hub.runtime.progress import Progress

STILL_SECONDS = 30.0
_EVERY = 1.0

log = structlog.get_logger(__name__)


class Watchdog:
    """Watches the stages of one worker.

    Args:
        stages: Their signs of life.
        fatal: Called with the reason, in the watchdog's thread.
        still_seconds: How long a stage with lag may stand still.
    """

    def __init__(
        self,
        stages: Sequence[Progress],
        fatal: Callable[[str], None],
        still_seconds: float = STILL_SECONDS,
    ) -> None:
        self._stages = stages
        self._fatal = fatal
        self._limit = still_seconds
        self._ticked = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self.tick()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def tick(self) -> None:
        """The event loop still turns; called about once a second."""
        self._ticked = time.monotonic()

    def _watch(self) -> None:
        while not self._stop.wait(min(_EVERY, self._limit / 4)):
            reason = self.verdict()
            if reason:
                log.critical("watchdog", reason=reason)
                self._fatal(reason)
                return

    def verdict(self) -> str:
        """Why the process has to end; empty while all is well."""
        if time.monotonic() - self._ticked > self._limit:
            return "event loop stands still"
        for stage in self._stages:
            if stage.assigned and stage.lag > 0 and stage.idle_seconds > self._limit:
                return f"{stage.stage}: lag {stage.lag}, no progress"
            # A group may take a whole rebalance time-out to meet, and once more.
            if stage.outside_seconds > 2 * self._limit:
                return f"{stage.stage}: the group does not take us in again"
        return ""
