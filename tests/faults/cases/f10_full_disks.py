"""F10: the brokers' volume is full, then the database's; the hub stops and says so."""

from __future__ import annotations

import asyncio
import random
import time

from tests.faults.harness.declarations import ROOT_RIGHTS, Case, Load, Scale
from tests.faults.harness.disks import Disk
from tests.faults.harness.operators import command
from tests.faults.harness.plants import KAFKA, POSTGRES
from tests.faults.harness.sites import Site
from tests.faults.harness.tools import acked

CASE = Case(
    "F10",
    "磁盘写满:broker 日志卷、数据库卷(审计在其中)",
    "Disk full: the brokers' volume, the database's with the audit in it",
    needs=(ROOT_RIGHTS, "mount"),
    quick=Scale(seconds=15, load=Load(60), recovery=60),
    full=Scale("full", rounds=3, seconds=120, load=Load(200), recovery=60),
    disks=(KAFKA, POSTGRES),
    sabotages=("offsets_before_commit",),
)
_ALARM_SECONDS = 30.0


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Fill one volume, see that the hub tells, wait, give the space back; then the other."""
    if (said := await command(site, "doctor")).code != 0:
        site.broken.append(f"the doctor complains before anything is full: {said.out[-500:]}")
    for _ in range(scale.rounds):
        names = [KAFKA, POSTGRES]
        dice.shuffle(names)
        for name in names:
            await _full(site, name, site.plant.disks[name], scale.seconds)


async def _full(site: Site, what: str, disk: Disk, seconds: float) -> None:
    begin, free = time.monotonic(), disk.free_kb
    site.tell(f"{what} 写满 · full, {free >> 10} MB")
    while time.monotonic() - begin < _ALARM_SECONDS:
        # Again each time: a rotation or a checkpoint may give some back.
        await asyncio.to_thread(disk.fill)
        if (await command(site, "doctor")).code != 0:
            break
        await asyncio.sleep(1)
    else:
        site.broken.append(f"{what}: full, and after {_ALARM_SECONDS:.0f} s nobody was told")
    site.notes[f"told of {what} s"] = round(time.monotonic() - begin, 1)
    before = acked(site)
    await asyncio.sleep(max(0.0, seconds - (time.monotonic() - begin)))
    site.notes[f"acked while {what} is full"] = acked(site) - before
    disk.free()
    site.tell(f"{what} 腾出空间 · space again")
    await site.plant.renewed()
    await asyncio.sleep(3)
