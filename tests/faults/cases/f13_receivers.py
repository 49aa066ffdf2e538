"""F13: one webhook receiver fails in every way; nobody else notices, and it catches up in order."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.hooks import taken_numbers
from tests.faults.harness.pulses import Pulse
from tests.faults.harness.sites import Site

PROGRAM = "instant-settlement"
CASE = Case(
    "F13",
    "一个接收方停摆:500、429、超时、连不上、不是 HTTP",
    "One receiver fails: 500, 429, slow, gone, no HTTP at all",
    quick=Scale(seconds=4, load=Load(40), recovery=120),
    full=Scale("full", rounds=4, seconds=900, load=Load(100), recovery=600),
    webhooks=(PROGRAM,),
    sabotages=("outbox_row_dropped",),
)
_SLOW = 30.0
_WAITING = "SELECT count(*) FROM delivery WHERE subscription = $1 AND seq <= $2 AND state <> 'sent'"
_MORE, _MORE_SECONDS = 1.1, 1.0
"""Others may be slower by a tenth; below a second the machine's own noise is larger."""


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Measure the others, then again through each failure, then let it come back."""
    async with Pulse(site, dice.randrange(4001, 5000)) as pulse:
        await asyncio.sleep(2 * scale.seconds)
        calm = pulse.cut()
        for _ in range(scale.rounds):
            await _fail(site, scale.seconds)
        stormy = pulse.cut()
    site.notes["others p95 s, calm and meanwhile"] = calm.p95, stormy.p95
    if stormy.p95 > max(_MORE * calm.p95, calm.p95 + _MORE_SECONDS):
        site.broken.append(f"others wait: p95 {stormy.p95:.2f} s instead of {calm.p95:.2f}")
    site.tell("接收方恢复 · the receiver is well again")
    last = await site.query("SELECT next_seq - 1 FROM subscription WHERE id = $1", PROGRAM)
    site.notes["copies that wait"] = await site.query(_WAITING, PROGRAM, last)
    limit = scale.recovery or 0.0
    took = await site.until(lambda: _caught_up(site, last), limit, "the receiver catches up")
    site.notes["caught up after s"] = round(took, 1)
    _in_order(site)


async def _caught_up(site: Site, last: int) -> bool:
    return await site.query(_WAITING, PROGRAM, last) == 0


async def _fail(site: Site, seconds: float) -> None:
    hooks = site.hooks
    for what, status, slow in (("500", 500, 0.0), ("429", 429, 0.0), ("慢 · slow", 200, _SLOW)):
        site.tell(f"{PROGRAM} {what}")
        hooks.status, hooks.slow = status, slow
        await asyncio.sleep(seconds)
    hooks.status, hooks.slow = 200, 0.0
    site.tell(f"{PROGRAM} 无人监听 · gone")
    await hooks.stop()
    await asyncio.sleep(seconds)
    site.tell(f"{PROGRAM} 不是 HTTP · no HTTP")
    async with hooks.babbling():
        await asyncio.sleep(seconds)
    await hooks.start()


def _in_order(site: Site) -> None:
    """First successful calls about one person come in the order of their numbers."""
    numbers = taken_numbers(site.folder / "hooks.jsonl")
    site.notes["copies taken"] = sum(len(found) for found in numbers.values())
    wrong = [key for key, found in numbers.items() if found != sorted(found)]
    if wrong:
        site.broken.append(f"{len(wrong)} people's copies came in another order")
    if not numbers:
        site.broken.append("the receiver got nothing")
