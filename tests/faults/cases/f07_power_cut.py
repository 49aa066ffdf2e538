"""F07: all brokers die at once and come back later."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.declarations import TRIPLE, Case, Load, Scale
from tests.faults.harness.sites import Site

CASE = Case(
    "F07",
    "三个 broker 同时断电,稍后恢复",
    "All three brokers lose power at once and come back",
    topology=TRIPLE,
    quick=Scale(seconds=20, load=Load(80), recovery=90),
    full=Scale("full", seconds=120, load=Load(200), recovery=90),
    sabotages=("ack_before_send",),
)
_MOST_EXITS = 6


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Kill all, wait; nothing of the hub may end up in a loop of crashes meanwhile."""
    await asyncio.sleep(dice.uniform(1, 4))
    site.tell(f"kill -9 全部 broker,{scale.seconds:.0f} s · all brokers")
    await asyncio.gather(*(node.kill() for node in site.cluster.nodes))
    await asyncio.sleep(scale.seconds)
    ends = {child.name: len(child.exits) for child in site.children}
    site.notes["ends while away"] = ends
    if max(ends.values()) > _MOST_EXITS:
        site.broken.append(f"a loop of crashes: {ends}")
    await site.cluster.whole()
