"""D01: the same facts many times, under new message numbers, and whole files once more."""

from __future__ import annotations

import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.recoveries import rested
from tests.faults.harness.sendings import sending
from tests.faults.harness.sites import Site
from tests.faults.loads.facts import Move

CASE = Case(
    "D01",
    "同一事实多次到达、换报文号重发、整份名单重放",
    "Facts many times, under new message numbers, whole lists once more",
    quick=Scale(rounds=1, seconds=25, load=Load(rate=0), recovery=None),
    full=Scale("full", rounds=50, seconds=400, load=Load(rate=0), recovery=None),
    ci=True,
    workers=1,
    connectors=("civil-affairs", "hrss"),
    sabotages=("seen_skipped",),
)
_MOST_REPEATS = 10


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Each round: new facts, then each of them one to ten times, then all in one go."""
    async with sending(site, dice.randrange(1, 4000)) as out:
        build = out.builder
        for _ in range(scale.rounds):
            facts = []
            for _family in range(int(scale.seconds)):
                family = out.family()
                facts += [build.grant(family), build.job_lost(out.person())]
                facts += [build.stranger(out.person()), build.insured(out.person())]
            await out.send(facts)
            repeats = [
                build.again(move, msgid=_fresh(move, dice))
                for move in facts
                for _ in range(dice.randint(1, _MOST_REPEATS))
            ]
            dice.shuffle(repeats)
            await out.send(repeats)
            await rested(site)
            await out.send([build.again(move) for move in facts])
        site.notes["facts"], site.notes["repeats"] = len(facts), len(repeats) + len(facts)


def _fresh(move: Move, dice: random.Random) -> str:
    """A new message number, where the department's messages have one."""
    return f"R{dice.randrange(1 << 40):011x}" if move.fact.way == "rest" else ""
