"""D10: the head of a household of six gets a job; one task, one notice, and one timer fires once."""

from __future__ import annotations

import asyncio
import random

import msgspec

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.recoveries import rested
from tests.faults.harness.sendings import Sending, sending
from tests.faults.harness.sites import Site
from tests.faults.loads.facts import Move, Told
from tests.faults.loads.people import Family

CASE = Case(
    "D10",
    "六口之家户主就业:复核一次;期限经三次重启只到期一次",
    "The head of six gets a job: one task; a term fires once after three restarts",
    quick=Scale(rounds=4, seconds=2, load=Load(rate=0), recovery=60),
    full=Scale("full", rounds=500, seconds=10, load=Load(rate=0), recovery=120),
    environ={"HUB_CLOCK": "offset:{folder}/clock"},
    connectors=("civil-affairs", "hrss"),
    sabotages=("removal_forgotten",),
)
_CHILDREN = 4
_HOUR = 3600.0
_TERM_HOURS, _RESTARTS = 72, 3
_FIRE_SECONDS = 30.0
_TIMERS = "SELECT count(*) FROM timer WHERE kind = 'decision_overdue'"
_TASKS = "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM task GROUP BY household) t"


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Job and repeats; then ends whose decisions are late, with restarts before the term."""
    async with sending(site, dice.randrange(1, 4000)) as out:
        families = [_large(out) for _ in range(scale.rounds)]
        await out.send([out.builder.grant(family) for family in families])
        await rested(site)
        jobs = [out.builder.job_started(family) for family in families]
        await out.send(jobs)
        await rested(site)
        if (most := await site.query(_TASKS)) != 1:
            site.broken.append(f"a household has {most} tasks, not 1")
        pairs = [out.builder.decided_end(family) for family in families]
        await out.send([_late(end) for _, end in pairs])
        await rested(site)
        await _terms(site, scale)
        await out.send([decision for decision, _ in pairs])
        await rested(site)


def _large(out: Sending) -> Family:
    family = out.family()
    children = tuple(out.person() for _ in range(_CHILDREN))
    return msgspec.structs.replace(family, others=children)


def _late(end: Move) -> Move:
    """An end whose decision does not come in time is reported, once."""
    # The report names the matter, not the person.
    told = (*end.fact.told, Told("civil-affairs", "audit.violation", ""))
    return Move(msgspec.structs.replace(end.fact, told=told), end.record)


async def _terms(site: Site, scale: Scale) -> None:
    """An hour before the term nothing has fired, whatever was restarted; an hour after all have."""
    for number in range(_RESTARTS):
        site.shift_clock((_TERM_HOURS - 1) * _HOUR * (number + 1) / _RESTARTS)
        for worker in site.workers:
            worker.kill()
        await asyncio.sleep(scale.seconds)
    await asyncio.gather(*(site.ready(worker) for worker in site.workers))
    await asyncio.sleep(scale.seconds)
    if (left := await site.query(_TIMERS)) != scale.rounds:
        site.broken.append(f"{left} of {scale.rounds} terms stand an hour before they end")
    site.shift_clock((_TERM_HOURS + 1) * _HOUR)
    site.tell("期限已过 · the term is over")
    await site.until(lambda: _fired(site), _FIRE_SECONDS, "every term fires")
    await rested(site)


async def _fired(site: Site) -> bool:
    return await site.query(_TIMERS) == 0
