"""Latencies: percentiles of the hops between a fact and its referral."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

HOPS = ("recorded", "received", "committed", "delivered", "accepted")
"""From what happened: on record at the source, in the log, decided, delivered, accepted."""


class Percentiles(msgspec.Struct, frozen=True):
    """Of one hop, ms; None where nothing passed."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None


def percentiles(values: Sequence[float]) -> Percentiles:
    """Nearest-rank percentiles of a list of spans."""
    if not values:
        return Percentiles(0, None, None, None)
    ordered = sorted(values)
    return Percentiles(len(ordered), *(_rank(ordered, share) for share in (0.5, 0.95, 0.99)))


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def burn(late: int, total: int, *, allowed: float) -> float | None:
    """How fast an error budget is spent: 1 is exactly as planned; None: nothing passed."""
    return None if total == 0 else late / total / allowed
