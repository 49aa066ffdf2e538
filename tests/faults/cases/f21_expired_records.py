"""F21: all workers are away for so long that retention passes over their claims."""

from __future__ import annotations

import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.logs import Stands, expire
from tests.faults.harness.losses import TOPIC, lost_before_worked
from tests.faults.harness.sites import Site

CASE = Case(
    "F21",
    "停工太久,未处理的消息已过保留期",
    "Retention passes over what was never worked",
    quick=Scale(rounds=12, load=Load(rate=0), recovery=60),
    full=Scale("full", rounds=500, load=Load(rate=0), recovery=120),
    connectors=("civil-affairs",),
    sabotages=("misfit_ignored",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Stop, alarm, and the operator's way on."""
    await lost_before_worked(site, scale, dice, _expired)


async def _expired(site: Site, there: list[Stands]) -> None:
    site.tell(f"保留期已过 · expired: {len(there)}")
    await expire(site, TOPIC)
