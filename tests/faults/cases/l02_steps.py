"""L02: the load rises step by step until it is too much, then a burst; nothing is lost."""

from __future__ import annotations

import asyncio
import random
import time

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.machines import crowding
from tests.faults.harness.pulses import Pulse
from tests.faults.harness.recoveries import Lag
from tests.faults.harness.sites import Site
from tests.faults.harness.tools import more_load

CASE = Case(
    "L02",
    "阶梯加压找拐点;每秒 1000 条突发",
    "Step load to the knee; a burst of 1,000/s",
    quick=Scale(rounds=3, seconds=6, load=Load(50), recovery=120),
    full=Scale("full", rounds=6, seconds=60, load=Load(50), recovery=600),
    sabotages=("crash_swallowed",),
)
_RATES = (100, 200, 400, 800, 1500, 2000)
_BURST = 1000
_LIMIT = 2.0
_LEAST = 400
_SMALL = 100


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Each step is timed by urgent facts; the knee is the highest rate within the limit."""
    steps: dict[int, float] = {}
    async with Pulse(site, dice.randrange(4001, 5000)) as pulse:
        for number, rate in enumerate(_RATES[: scale.rounds]):
            pulse.cut()
            await more_load(site, f"step-{number}", rate, scale.seconds, dice.randrange(1, 4000))
            steps[rate] = pulse.cut().p95
            site.tell(f"{rate}/s:p95 {steps[rate]:.2f} s")
        site.tell(f"突发 · burst {_BURST}/s")
        await more_load(site, "burst", _BURST, scale.seconds, dice.randrange(1, 4000))
        begin = time.monotonic()
        async with Lag(site) as lag:
            await site.until(lambda: _small(lag), scale.recovery or 0.0, "the burst is drained")
        site.notes["burst drained after s"] = round(time.monotonic() - begin, 1)
        await asyncio.sleep(1)
    slow = crowding()
    knee = max((rate for rate, p95 in steps.items() if p95 <= _LIMIT), default=0)
    site.notes |= {"p95 s by rate": steps, "knee": knee}
    if len(steps) == len(_RATES) and knee * slow < _LEAST:
        site.broken.append(f"{knee}/s within {_LIMIT} s, at least {_LEAST / slow:.0f}")


async def _small(lag: Lag) -> bool:
    return await lag.now() <= _SMALL
