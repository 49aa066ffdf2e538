"""Rounds: jobs measured three times, interleaved, and their medians.

One program varies by 20 to 30 % between rounds on a shared machine, so ratios are taken within one
round and the median of the ratios counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from hub.runtime.bench_runs import Figures
from tests.bench.jobs import Round


def job(rounds: Sequence[Round]) -> dict[str, float]:
    """The five figures of N or R."""
    return {
        "events_per_s": round(_median(rounds, "hub", "per_second")),
        "ratio_raw": round(_ratio(rounds, "hub", "raw"), 3),
        "ratio_faust": round(_ratio(rounds, "hub", "faust"), 2),
        "worker_us": round(_micros(rounds, "hub", "worker"), 2),
        "database_us": round(_micros(rounds, "hub", "database"), 2),
    }


def city(rounds: Sequence[Round]) -> dict[str, float]:
    """The three figures of G."""
    return {
        "events_per_s": round(_median(rounds, "hub", "per_second")),
        "worker_us": round(_micros(rounds, "hub", "worker"), 2),
        "database_us": round(_micros(rounds, "hub", "database"), 2),
    }


def details(rounds: Sequence[Round]) -> dict[str, Any]:
    """Everything that was measured, for people who want to look closer."""
    programs = rounds[0].figures
    return {
        name: {
            "events": rounds[0].figures[name].events,
            "events_per_s": [one.figures[name].per_second for one in rounds],
            "us": {
                place: round(_micros(rounds, name, place), 2) for place in programs[name].micros
            },
            "memory_mb": max(one.figures[name].memory_mb for one in rounds),
        }
        for name in programs
    }


def ratio(rounds: Sequence[Round], above: str, below: str) -> float:
    """Median of the ratio of two programs' speeds."""
    return round(_ratio(rounds, above, below), 3)


def _ratio(rounds: Sequence[Round], above: str, below: str) -> float:
    return median(
        one.figures[above].per_second / max(one.figures[below].per_second, 1) for one in rounds
    )


def _median(rounds: Sequence[Round], name: str, attribute: str) -> float:
    found: list[Figures] = [one.figures[name] for one in rounds]
    return median(getattr(figures, attribute) for figures in found)


def _micros(rounds: Sequence[Round], name: str, place: str) -> float:
    return median(one.figures[name].micros[place] for one in rounds)
