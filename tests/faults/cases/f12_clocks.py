"""F12: the hub's clock steps, goes backwards and strobes; sources are a day ahead or in 1970."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.recoveries import rested
from tests.faults.harness.sendings import Sending, altered, refused, sending
from tests.faults.harness.sites import Site
from tests.faults.loads.facts import Move

CASE = Case(
    "F12",
    "枢纽时钟前后跳、反复抖动;源时钟快一天或停在 1970 年",
    "The hub's clock jumps and strobes; sources a day ahead or in 1970",
    quick=Scale(rounds=6, seconds=8, load=Load(rate=0), recovery=45),
    full=Scale("full", rounds=200, seconds=60, load=Load(rate=0), recovery=60),
    environ={"HUB_CLOCK": "offset:{folder}/clock"},
    connectors=("civil-affairs", "hrss"),
    sabotages=("removal_forgotten",),
)
_HOUR = 3600.0
_STROBE = 0.3
_DAY = "发生日期"


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Facts under every kind of clock, and facts whose own clock is wrong."""
    async with sending(site, dice.randrange(1, 4000)) as out:
        back = -min(_HOUR, _since_midnight(out))
        for seconds in (_HOUR, back, 0.0):
            site.tell(f"时钟偏移 · clock {seconds:+.0f} s")
            site.shift_clock(seconds)
            await out.send(_families(out, scale.rounds))
        strobing = asyncio.create_task(_strobe(site, dice, back))
        site.tell("时钟抖动 · strobing")
        for _ in range(3):
            await out.send(_families(out, scale.rounds))
            await asyncio.sleep(scale.seconds / 3)
        strobing.cancel()
        await asyncio.gather(strobing, return_exceptions=True)
        site.shift_clock(0)
        wrong = [move for _ in range(scale.rounds) for move in _sources(out)]
        dice.shuffle(wrong)
        await out.send(wrong)
        await rested(site)
        site.notes["facts"] = out.builder.count


def _since_midnight(out: Sending) -> float:
    """Seconds of today that are over: facts of today lie in the future of a clock before it."""
    now = out.builder.now
    return (now - now.replace(hour=0, minute=0, second=1)).total_seconds()


def _families(out: Sending, count: int) -> list[Move]:
    moves = []
    for _ in range(count):
        family = out.family()
        moves += [out.builder.grant(family), out.builder.job_lost(out.person())]
        moves += out.builder.stay(out.family().head, cancelled=False, on_roll=False)
        moves += out.builder.decided_end(family)
    return moves


def _sources(out: Sending) -> list[Move]:
    """Tomorrow is flagged; 1970 is only very long ago."""
    tomorrow, ago = out.builder.job_lost(out.person()), out.builder.job_lost(out.person())
    ahead = (out.builder.now + timedelta(days=2)).date().isoformat()
    return [
        refused(tomorrow, dict(tomorrow.record) | {_DAY: ahead}, "E-FUTURE"),
        altered(ago, dict(ago.record) | {_DAY: "1970-01-01"}),
    ]


async def _strobe(site: Site, dice: random.Random, back: float) -> None:
    while True:
        site.shift_clock(dice.uniform(back, _HOUR))
        await asyncio.sleep(_STROBE)
