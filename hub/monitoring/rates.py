"""Rates: records per second out of counters, over the last minute."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

WINDOW_MS = 60_000
USUAL_MS = 3_600_000
FLOOD_LEAST = 50.0
"""Records per second below which no source floods."""
FLOOD_TIMES = 8.0
"""A source floods when it brings so many times what it usually brings."""


class Rates:
    """Counters by key; ask for the mean rate over the last minute, and for the usual one.

    Args:
        window: What counts as the last minute, ms; demonstrations have shorter ones.
    """

    def __init__(self, window: int = WINDOW_MS) -> None:
        self._window = window
        self._kept: dict[str, deque[tuple[int, float]]] = {}
        self._minutes: dict[str, deque[tuple[int, float]]] = {}

    def count(self, key: str, value: float, at: int) -> float:
        """Note a counter and tell its rate; a counter that fell was reset and starts anew."""
        kept = self._kept.setdefault(key, deque())
        if kept and value < kept[-1][1]:
            kept.clear()
            self._minutes.pop(key, None)
        kept.append((at, value))
        minutes = self._minutes.setdefault(key, deque())
        if not minutes or at - minutes[-1][0] >= self._window:
            minutes.append((at, value))
        while len(minutes) > 2 and minutes[1][0] <= at - USUAL_MS:
            minutes.popleft()
        while len(kept) > 2 and kept[1][0] <= at - self._window:
            kept.popleft()
        return self.rate(key)

    def rate(self, key: str) -> float:
        """The rate as last noted; 0 while there is one point only."""
        kept = self._kept.get(key)
        if not kept or len(kept) < 2:
            return 0.0
        (first_at, first), (last_at, last) = kept[0], kept[-1]
        return max(0.0, last - first) / max(0.001, (last_at - first_at) / 1000)

    def usual(self, key: str) -> float | None:
        """The mean rate of the hour before the last minute; None: too little is known.

        What flooded does not count, or a flood would soon be usual, until it fills half the hour.
        """
        minutes, kept = self._minutes.get(key), self._kept.get(key)
        if not minutes or not kept:
            return None
        before = [one for one in minutes if one[0] <= kept[-1][0] - self._window]
        if len(before) < 2 or before[-1][0] - before[0][0] < 2 * self._window:
            return None
        calm, seconds, flooded = 0.0, 0.0, 0.0
        for (first_at, first), (last_at, last) in pairwise(before):
            each, step = max(0.0, last - first), (last_at - first_at) / 1000
            known = seconds >= 2 * self._window / 1000
            if known and each / step > max(FLOOD_LEAST, FLOOD_TIMES * calm / seconds):
                flooded += step
            else:
                calm, seconds = calm + each, seconds + step
        if flooded * 2000 > USUAL_MS:
            calm, seconds = before[-1][1] - before[0][1], (before[-1][0] - before[0][0]) / 1000
        return max(0.0, calm) / seconds
