"""F18: a relay stops between numbering copies and sending them, is overtaken, and wakes."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.sites import Site

CASE = Case(
    "F18",
    "僵尸中继:编号之后、发送之前停住,被接管后醒来",
    "Zombie relay: stopped between number and send, overtaken, wakes",
    quick=Scale(rounds=2, seconds=12, load=Load(80), recovery=30, stall=30),
    full=Scale("full", rounds=6, seconds=90, load=Load(200), recovery=60, stall=45),
    sabotages=("renumbered_on_resend",),
)
_POINT = "relay.claimed"
_HIT_SECONDS = 40.0


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Its subscriptions' leases run out while it stands; then it goes on where it stood."""
    taken = 0
    for number in range(scale.rounds):
        worker = site.workers[number % len(site.workers)]
        before = site.hits(_POINT)
        worker.lives.append({"HUB_FAILPOINTS": f"{_POINT}:{dice.randint(2, 8)}:stop"})
        worker.kill()
        await site.until(
            lambda before=before: site.hits(_POINT) > before,
            _HIT_SECONDS,
            f"{worker.name} passes {_POINT}",
        )
        owned = await _epochs(site)
        site.tell(f"{worker.name} 停在 {_POINT},{scale.seconds:.0f} s · stands")
        await asyncio.sleep(scale.seconds)
        taken += await _epochs(site) - owned
        worker.thaw()
        site.tell(f"{worker.name} 醒来 · wakes")
        await asyncio.sleep(3)
    site.notes["subscriptions taken over"] = taken
    if taken == 0:
        site.broken.append("nobody took over from the stopped relay")


async def _epochs(site: Site) -> int:
    return int(await site.query("SELECT coalesce(sum(epoch), 0) FROM subscription"))
