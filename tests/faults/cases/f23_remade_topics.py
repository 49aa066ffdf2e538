"""F23: a topic is deleted and made again; its offsets begin at nought."""

from __future__ import annotations

import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.logs import Stands, remake
from tests.faults.harness.losses import TOPIC, lost_before_worked
from tests.faults.harness.sites import Site

CASE = Case(
    "F23",
    "主题被删除后重建,位移从头开始",
    "A topic is deleted and made again",
    quick=Scale(rounds=12, load=Load(rate=0), recovery=60),
    full=Scale("full", rounds=500, load=Load(rate=0), recovery=120),
    connectors=("civil-affairs",),
    sabotages=("misfit_ignored",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """The claims are of another topic of that name, whatever their numbers say."""
    await lost_before_worked(site, scale, dice, _remade)


async def _remade(site: Site, there: list[Stands]) -> None:
    site.tell(f"删除并重建 · deleted and made again: {len(there)}")
    await remake(site, TOPIC)
