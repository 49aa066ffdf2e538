"""D03: what was told is taken back; whoever had the original gets its annulment."""

from __future__ import annotations

import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.recoveries import rested
from tests.faults.harness.sendings import sending
from tests.faults.harness.sites import Site

CASE = Case(
    "D03",
    "入院登记撤销:收到原件者都收到撤销",
    "Admissions cancelled: each receiver of the original gets the annulment",
    quick=Scale(rounds=15, load=Load(rate=0), recovery=None),
    full=Scale("full", rounds=2000, load=Load(rate=0), recovery=None),
    ci=True,
    workers=1,
    connectors=("civil-affairs",),
    sabotages=("retraction_dropped",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Families on roll, their stays, most of them cancelled: at once or after all was told."""
    async with sending(site, dice.randrange(1, 4000)) as out:
        families = [out.family() for _ in range(scale.rounds)]
        await out.send([out.builder.grant(family) for family in families])
        await rested(site)
        now, later = [], []
        for family in families:
            for person in family.people:
                admitted, left = out.builder.stay(person, cancelled=dice.random() < 0.8)
                now.append(admitted)
                (now if dice.random() < 0.3 else later).append(left)
        await out.send(now)
        await rested(site)
        await out.send(later)
        await out.send([out.builder.stranger(out.person()) for _ in range(scale.rounds)])
        site.notes["stays"] = len(now) + len(later)
