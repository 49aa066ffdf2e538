"""F11: a worker is killed for want of memory, starves of descriptors, or its loop stands still."""

from __future__ import annotations

import asyncio
import random
import resource
import time

from tests.faults.afflicted import BLOCK
from tests.faults.harness.afflictions import afflict
from tests.faults.harness.children import Child
from tests.faults.harness.declarations import ROOT_RIGHTS, Case, Load, Scale
from tests.faults.harness.machines import crowding
from tests.faults.harness.memories import MemoryGroup
from tests.faults.harness.sites import Site

CASE = Case(
    "F11",
    "内存超限被杀、只有 64 个描述符、事件循环阻塞",
    "Killed for want of memory, 64 descriptors, event loop blocked",
    needs=(ROOT_RIGHTS,),
    quick=Scale(seconds=8, load=Load(60), recovery=60, stall=60),
    full=Scale("full", rounds=3, seconds=60, load=Load(200), recovery=60, stall=60),
    sabotages=("offsets_before_commit",),
)
_DESCRIPTORS = 64
_WATCHDOG_SECONDS = 60.0
_KILLED, _UNEXPECTED = -9, 70


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """One after the other, so that another worker is well meanwhile."""
    del dice
    first, second = site.workers[:2]
    for _ in range(scale.rounds):
        await _out_of_memory(site, first)
        await _few_descriptors(site, second, scale.seconds)
        await _blocked(site, first)


async def _out_of_memory(site: Site, worker: Child) -> None:
    with MemoryGroup() as group:
        group.admit(worker)
        worker.kill()
        await asyncio.sleep(1)
        if not await site.ready(worker):
            site.broken.append(f"{worker.name} does not come back in a memory group")
        ends = len(worker.exits)
        site.tell(f"{worker.name} 内存耗尽 · out of memory")
        await group.exhaust(worker)
        await site.until(lambda: len(worker.exits) > ends, 10, "the kernel kills the worker")
        codes = [one.code for one in worker.exits[ends:]]
        if _KILLED not in codes:
            site.broken.append(f"out of memory, and it ended with {codes}")
        group.dismiss(worker)
        worker.kill()
        await asyncio.sleep(1)
        await site.ready(worker)


async def _few_descriptors(site: Site, worker: Child, seconds: float) -> None:
    worker.limits = {resource.RLIMIT_NOFILE: _DESCRIPTORS}
    worker.kill()
    site.tell(f"{worker.name} {_DESCRIPTORS} 个描述符 · descriptors")
    await asyncio.sleep(seconds)
    site.notes["ready with few descriptors"] = await site.ready(worker, 1)
    worker.limits = {}
    worker.kill()
    await asyncio.sleep(1)
    await site.ready(worker)


async def _blocked(site: Site, worker: Child) -> None:
    await afflict(site, worker)
    begin, limit = time.monotonic(), _WATCHDOG_SECONDS * crowding()
    worker.signal(BLOCK)
    site.tell(f"{worker.name} 事件循环阻塞 · event loop blocked")
    try:
        code = await worker.ended(limit)
    except TimeoutError:
        site.broken.append(f"blocked for {limit:.0f} s, and nobody ended it")
        return
    site.notes["blocked, ended after s"] = round(time.monotonic() - begin, 1)
    if code != _UNEXPECTED:
        site.broken.append(f"the watchdog ends a process with {_UNEXPECTED}, not {code}")
