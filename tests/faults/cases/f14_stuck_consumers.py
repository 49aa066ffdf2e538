"""F14: after an outage of the brokers a consumer is a member again and never gets a record."""

from __future__ import annotations

import asyncio
import random
import time

from tests.faults.afflicted import STARVE
from tests.faults.harness.afflictions import afflict
from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.machines import crowding
from tests.faults.harness.sites import Site

CASE = Case(
    "F14",
    "broker 中断后重新入组却再也取不到消息",
    "Rejoined after an outage, and no record ever comes",
    quick=Scale(seconds=3, load=Load(80), recovery=60),
    full=Scale("full", rounds=5, seconds=30, load=Load(200), recovery=60),
    sabotages=("offsets_before_commit",),
)
_LIMIT, _REJOIN = 60.0, 120.0
_UNEXPECTED = 70


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """The brokers go and come back; one worker's client is stuck from then on."""
    for _ in range(scale.rounds):
        worker = dice.choice(site.workers)
        await afflict(site, worker)
        (node,) = site.cluster.nodes
        site.tell(f"broker 停 {scale.seconds:.0f} s · outage")
        await node.kill()
        worker.signal(STARVE)
        await asyncio.sleep(scale.seconds)
        await site.cluster.whole()
        if not await site.ready(worker, _REJOIN):
            site.broken.append(f"{worker.name} is no member again after {_REJOIN:.0f} s")
        begin, limit = time.monotonic(), _LIMIT * crowding()
        site.tell(f"{worker.name} 取不到消息 · stuck")
        try:
            code = await worker.ended(limit)
        except TimeoutError:
            site.broken.append(f"stuck for {limit:.0f} s, and nobody ended it")
            worker.kill()
            continue
        site.notes["stuck, ended after s"] = round(time.monotonic() - begin, 1)
        if code != _UNEXPECTED:
            site.broken.append(f"the watchdog ends a process with {_UNEXPECTED}, not {code}")
