"""Rates: records per second out of counters, over the last minute."""

from __future__ import annotations

from collections import deque

WINDOW_MS = 60_000


class Rates:
    """Counters by key; ask for the mean rate over the last minute."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[tuple[int, float]]] = {}

    def count(self, key: str, value: float, at: int) -> float:
        """Note a counter and tell its rate; a counter that fell was reset and starts anew."""
        kept = self._kept.setdefault(key, deque())
        if kept and value < kept[-1][1]:
            kept.clear()
        kept.append((at, value))
        while len(kept) > 2 and kept[1][0] <= at - WINDOW_MS:
            kept.popleft()
        return self.rate(key)

    def rate(self, key: str) -> float:
        """The rate as last noted; 0 while there is one point only."""
        kept = self._kept.get(key)
        if not kept or len(kept) < 2:
            return 0.0
        (first_at, first), (last_at, last) = kept[0], kept[-1]
        return max(0.0, last - first) / max(0.001, (last_at - first_at) / 1000)
