"""Stalls: how long receivers got nothing, by the witness's own clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.faults.verifier.sets import Sighting

_LONG_MS = 5000
_MOST = 50


def stalls(sightings: Iterable[Sighting]) -> dict[str, Any]:
    """The longest pause between two first arrivals, and every pause of more than 5 s.

    Returns:
        ``first_ms`` and ``last_ms`` of the monotonic clock, ``longest_ms``, ``pauses`` as
        ``[from_ms, ms]``, and ``longest_by_topic``.
    """
    known: set[tuple[str, str]] = set()
    arrivals: list[tuple[int, str]] = []
    for one in sightings:
        if one.topic.endswith(".inbox") and (one.topic, one.ce_id) not in known:
            known.add((one.topic, one.ce_id))
            arrivals.append((one.at, one.topic))
    if not arrivals:
        return {"longest_ms": None, "pauses": [], "longest_by_topic": {}}
    arrivals.sort()
    last_of: dict[str, int] = {}
    by_topic: dict[str, int] = {}
    pauses: list[tuple[int, int]] = []
    before = arrivals[0][0]
    for at, topic in arrivals:
        pauses.append((before, at - before))
        by_topic[topic] = max(by_topic.get(topic, 0), at - last_of.get(topic, at))
        before = last_of[topic] = at
    return {
        "first_ms": arrivals[0][0],
        "last_ms": before,
        "longest_ms": max(length for _, length in pauses),
        "pauses": [pause for pause in pauses if pause[1] > _LONG_MS][:_MOST],
        "longest_by_topic": by_topic,
    }
