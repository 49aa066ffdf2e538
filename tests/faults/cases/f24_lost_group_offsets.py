"""F24: the brokers lose what consumer groups have committed; the claims know better."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.logs import lose_offsets
from tests.faults.harness.sites import Site

CASE = Case(
    "F24",
    "broker 丢失消费组位移主题",
    "The brokers lose the topic of group offsets",
    quick=Scale(seconds=5, load=Load(80), recovery=60),
    full=Scale("full", rounds=5, seconds=30, load=Load(200), recovery=60),
    sabotages=("offsets_before_commit",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Nothing is skipped and nothing begins anew: that topic is only a mirror."""
    for _ in range(scale.rounds):
        await asyncio.sleep(dice.uniform(1, scale.seconds))
        gone = await lose_offsets(site)
        site.tell(f"__consumer_offsets 丢失 · lost: {gone}")
        if gone == 0:
            site.broken.append("there was no topic of group offsets")
        await asyncio.sleep(scale.seconds)
    stops = "SELECT count(*) FROM alarm WHERE kind IN ('partition_stopped', 'topic_replaced')"
    if await site.query(stops):
        site.broken.append("a partition stopped although its log is whole")
