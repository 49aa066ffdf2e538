"""Programs: how each subscription stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.monitoring.pictures import Program
from hub.monitoring.rates import Rates

SLOW_MS = 60_000
"""A copy that waits so long for its receiver is a warning."""
LATE_MS = 15 * 60_000
"""So long is an alarm."""


def program(row: Mapping[str, Any], rates: Rates, now: int) -> Program:
    """One subscription out of its sounding."""
    numbered = row["next_seq"] - 1
    unfetched = max(0, numbered - row["acked_seq"]) if row["mode"] == "pull" else 0
    delivered = _delivered(row, numbered)
    ages = [row[name] for name in ("queued_oldest", "oldest", "unfetched_oldest")]
    oldest = min((age for age in ages if age is not None), default=None)
    return Program(
        row["id"],
        row["mode"],
        row["generation"],
        numbered,
        delivered,
        row["queued"],
        row["waiting"],
        row["parked"],
        unfetched,
        oldest,
        row["failures"],
        row["open_until"],
        row["owned"],
        rates.count(f"delivered/{row['id']}/{row['generation']}", delivered, now),
        status(row, oldest, now),
    )


def _delivered(row: Mapping[str, Any], numbered: int) -> int:
    if row["mode"] == "webhook":
        return max(0, numbered - int(row["waiting"]) - int(row["parked"]))
    # Of a program that fetches only its own word tells that a copy arrived.
    cursor = row["acked_seq"] if row["mode"] == "pull" else row["sent_seq"]
    return min(numbered, int(cursor))


def status(row: Mapping[str, Any], oldest: int | None, now: int) -> str:
    """``good``, ``warn`` or ``bad``."""
    age = 0 if oldest is None else now - oldest
    if row["parked"] or age > LATE_MS or (row["open_until"] > now and age > SLOW_MS):
        return "bad"
    if row["open_until"] > now or age > SLOW_MS or (row["queued"] and not row["owned"]):
        return "warn"
    return "good"
