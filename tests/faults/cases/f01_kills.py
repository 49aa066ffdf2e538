"""F01: workers are killed one after another under load."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.sites import Site

CASE = Case(
    "F01",
    "负载下随机 kill -9 工作进程",
    "Random workers killed under load",
    quick=Scale(rounds=5, seconds=4, load=Load(150), recovery=30, stall=45),
    full=Scale(
        "full", rounds=40, seconds=45, load=Load(200, people=100_000), recovery=60, stall=45
    ),
    sabotages=("offsets_before_commit",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Kill one of the workers, wait a while, again."""
    for number in range(scale.rounds):
        await asyncio.sleep(dice.uniform(scale.seconds / 4, scale.seconds))
        worker = dice.choice(site.workers)
        site.tell(f"kill -9 {worker.name}({number + 1}/{scale.rounds})")
        worker.kill()
    await asyncio.sleep(scale.seconds / 2)
    site.notes["kills"] = scale.rounds
