"""Views: what operators and the harness ask a stage: is it quiet, what is open, which matter."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from hub.kernel.clocks import epoch_ms

if TYPE_CHECKING:
    from tests.scenarios.harness.sightings import Sightings
    from tests.scenarios.harness.stages import Stage

_WORK = """
SELECT (SELECT count(*) FROM outbox) AS outbox,
       (SELECT count(*) FROM subscription WHERE mode = 'kafka' AND sent_seq < next_seq - 1)
           AS unsent,
       (SELECT count(*) FROM delivery WHERE state = 'waiting' AND next_at <= $1) AS due_posts,
       (SELECT count(*) FROM timer WHERE due_at <= $1) AS due_timers
"""


async def unrest(stage: Stage) -> dict[str, int]:
    """What still moves: records not yet worked, copies not yet sent, timers due."""
    ends = await stage.ends(stage.worked)
    rows = await stage.pool.fetch("SELECT topic, part, next_offset FROM partition_claim")
    worked = {(row["topic"], row["part"]): row["next_offset"] for row in rows}
    found = {
        f"{tp.topic}/{tp.partition}": end - worked.get((tp.topic, tp.partition), 0)
        for tp, end in ends.items()
        if end > worked.get((tp.topic, tp.partition), 0)
    }
    work = await stage.pool.fetchrow(_WORK, epoch_ms(stage.now))
    return found | {name: count for name, count in dict(work).items() if count}


async def operators_view(stage: Stage) -> tuple[Counter[str], list[dict[str, Any]]]:
    """The open list and the dead letters as the operators' page tells them."""
    answer = await stage.operator.get("/status.json")
    answer.raise_for_status()
    status = answer.json()
    found: Counter[str] = Counter()
    for row in status["open"]:
        found[row["what"]] += row["count"]
    return found, status["dead_letters"]


async def matters(stage: Stage, seen: Sightings) -> dict[str, str]:
    """referral id → matter of referrals that stand under one, from their tracking view."""
    refs = [
        copy.envelope["referral_id"]
        for program in ("housing-aid", "charity-housing")
        for copy in seen.of("referral.created", to=program)
    ]
    views = await asyncio.gather(*(tracked(stage, ref) for ref in refs))
    return {row["id"]: row["correlation"] for view in views for row in view["referrals"]}


async def tracked(stage: Stage, ref: str) -> dict[str, Any]:
    """The tracking view of one case."""
    answer = await stage.operator.get(f"/tracking/{ref}")
    answer.raise_for_status()
    document: dict[str, Any] = answer.json()
    return document


async def dead_letter_list(stage: Stage) -> list[dict[str, Any]]:
    """Every open dead letter: stage, source, code."""
    rows = await stage.pool.fetch(
        "SELECT stage, source, code, topic FROM dead_letter WHERE state = 'open'"
    )
    return [dict(row) for row in rows]
