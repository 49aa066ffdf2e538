"""F19: a worker is replaced under the same member id, and the one that was replaced wakes."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.sites import Site

CASE = Case(
    "F19",
    "同一成员号的替换进程在岗时,被替换的僵尸醒来",
    "A zombie wakes while its replacement has the same member id",
    quick=Scale(seconds=12, load=Load(80), recovery=30),
    full=Scale("full", rounds=5, seconds=90, load=Load(200), recovery=60),
    workers=1,
    environ={"HUB_WORKER_SLOT": "7"},
    sabotages=("no_fence",),
)
_END_SECONDS = 30.0
_UNEXPECTED = 70


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Stop, wait until its slot is free, start the twin, wake; the zombie has to end."""
    for number in range(scale.rounds):
        (zombie,) = site.workers
        await asyncio.sleep(dice.uniform(1, 3))
        site.tell(f"SIGSTOP {zombie.name},{scale.seconds:.0f} s")
        zombie.again = False
        zombie.freeze()
        await asyncio.sleep(scale.seconds)
        twin = site.make_worker(f"twin-{number + 1}")
        site.workers[:] = [twin]
        await twin.start()
        if not await site.ready(twin):
            site.broken.append("the replacement gets no partitions")
        site.tell(f"SIGCONT {zombie.name}")
        zombie.thaw()
        try:
            code = await zombie.ended(_END_SECONDS)
        except TimeoutError:
            site.broken.append(f"the zombie still runs after {_END_SECONDS:.0f} s")
            await zombie.stop()
            continue
        if code != _UNEXPECTED:
            site.broken.append(f"the zombie ended with {code}, not {_UNEXPECTED}")
        if twin.exits:
            site.broken.append(f"the replacement ended, too: {[one.code for one in twin.exits]}")
