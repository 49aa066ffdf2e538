"""The outcome of a run as a JSON document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.cli.demos.plays import Outcome
from hub.embedded.steps import Step


def report(run: int, outcome: Outcome, started: float, steps: Iterable[Step]) -> dict[str, Any]:
    """Everything the tables show.

    Args:
        run: Number of the run.
        outcome: What came of it.
        started: Seconds from the command to the first step of the story.
        steps: Steps of the start.
    """
    return {
        "run": run,
        "good": outcome.good,
        "started_seconds": round(started, 2),
        "start": {step.name: round(step.seconds, 2) for step in steps},
        "story_seconds": round(outcome.seconds, 2),
        "worker_restarts": outcome.restarts,
        "copies": sum(number for _, number in outcome.steps),
        "latency_seconds": {
            "n": len(outcome.latency),
            **{f"p{part}": round(outcome.percentile(part), 3) for part in (50, 95, 99)},
        },
        "entered": [
            {"department": connector, "way": way, "records": count}
            for (connector, way), count in sorted(outcome.entered.items())
        ],
        "wrong": [one._asdict() for one in outcome.wrong],
        "dead_letters": outcome.dead,
        "facts": outcome.facts,
        "notes": [en for _, en in outcome.notes],
    }
