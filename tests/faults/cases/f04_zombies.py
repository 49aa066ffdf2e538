"""F04: a worker is stopped for longer than its session, overtaken, and wakes."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.sites import SESSION_SECONDS, Site

CASE = Case(
    "F04",
    "僵尸进程:停住超过会话时限后醒来",
    "Zombie: a worker stopped beyond its session, overtaken, wakes",
    quick=Scale(rounds=2, seconds=1.5 * SESSION_SECONDS, load=Load(100), recovery=30, stall=20),
    full=Scale("full", rounds=5, seconds=90, load=Load(200), recovery=60, stall=45),
    ci=True,
    sabotages=("no_fence",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Stop one worker after another; each wakes as a zombie."""
    refused = 0
    for number in range(scale.rounds):
        worker = site.workers[number % len(site.workers)]
        await asyncio.sleep(dice.uniform(0.5, 2.0))
        before = await _epochs(site)
        site.tell(f"SIGSTOP {worker.name},{scale.seconds:.0f} s")
        worker.freeze()
        await asyncio.sleep(scale.seconds)
        taken = await _epochs(site) - before
        worker.thaw()
        refused += taken
        site.tell(f"SIGCONT {worker.name};接管 {taken} 个分区 · {taken} claims taken over")
        await asyncio.sleep(3)
    site.notes["claims taken over"] = refused
    if refused == 0:
        site.broken.append("nobody took over from the stopped worker")


async def _epochs(site: Site) -> int:
    return int(await site.query("SELECT coalesce(sum(epoch), 0) FROM partition_claim"))
