"""D02: grant, decision and end, admission and discharge, in every order of arrival."""

from __future__ import annotations

import itertools
import random

import msgspec

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.recoveries import rested
from tests.faults.harness.sendings import sending
from tests.faults.harness.sites import Site
from tests.faults.loads.facts import Move

CASE = Case(
    "D02",
    "发放、决定、终止与入出院以任何次序到达",
    "Grant, decision, end, admission and discharge in any order",
    quick=Scale(rounds=3, load=Load(rate=0), recovery=None),
    full=Scale("full", rounds=300, load=Load(rate=0), recovery=None),
    ci=True,
    workers=1,
    connectors=("civil-affairs",),
    sabotages=("removal_forgotten",),
)
_STEPS = 3


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """One step of every sequence at a time, so that the order of arrival is the one meant."""
    async with sending(site, dice.randrange(1, 4000)) as out:
        sequences: list[list[Move]] = []
        for _ in range(scale.rounds):
            for order in itertools.permutations(range(_STEPS)):
                family = out.family()
                moves = [out.builder.grant(family), *out.builder.decided_end(family)]
                if order[-1] == 0:
                    moves = [_without_rosters(move) for move in moves]
                sequences.append([moves[step] for step in order])
            for order in itertools.permutations(range(2)):
                family = out.family()
                granted = out.builder.grant(family)
                stay = out.builder.stay(family.head, cancelled=False)
                sequences.append([granted, *(_unchained(stay[step]) for step in order)])
        for step in range(_STEPS):
            site.tell(f"第 {step + 1} 步 · step {step + 1}: {len(sequences)}")
            await out.send([sequence[step] for sequence in sequences])
            await rested(site)
        site.notes["sequences"] = len(sequences)


def _without_rosters(move: Move) -> Move:
    """A grant that comes when its end is already decided puts nobody on a roster."""
    told = tuple(one for one in move.fact.told if one.type != "roster.delta")
    return Move(msgspec.structs.replace(move.fact, told=told), move.record)


def _unchained(move: Move) -> Move:
    """Receivers are told in the order of arrival, which is turned here on purpose."""
    return Move(msgspec.structs.replace(move.fact, chain="", link=0), move.record)
