"""F22: somebody deletes records from a topic's beginning, beyond what was worked."""

from __future__ import annotations

import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.logs import Stands, jump
from tests.faults.harness.losses import TOPIC, lost_before_worked
from tests.faults.harness.sites import Site

CASE = Case(
    "F22",
    "日志起点被人前移,越过未处理的消息",
    "Records are deleted from the log's beginning, beyond the claim",
    quick=Scale(rounds=12, load=Load(rate=0), recovery=60),
    full=Scale("full", rounds=500, load=Load(rate=0), recovery=120),
    connectors=("civil-affairs",),
    sabotages=("misfit_ignored",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """The workers live on, stopped by a signal; they meet the hole while they poll."""
    await lost_before_worked(site, scale, dice, _jumped, frozen=True)


async def _jumped(site: Site, there: list[Stands]) -> None:
    """Half of what waits in each partition goes."""
    starts: dict[int, int] = {}
    for part in {one.part for one in there}:
        offsets = sorted(one.off for one in there if one.part == part)
        starts[part] = offsets[(len(offsets) - 1) // 2] + 1
    site.tell(f"日志起点前移 · log start jumps: {starts}")
    await jump(site, TOPIC, starts)
