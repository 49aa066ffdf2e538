"""A reference model: who is on roll with which open referrals, folded from facts alone.

It knows nothing of how the hub decides; a reader can check it against the rules in a minute.
A person named by a fact of unknown outcome is left out, as both states would be right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tests.faults.loads.facts import Fact

Held = tuple[str, str]
"""Program and subject: an ID number or a meter account."""


class State(NamedTuple):
    """What must be true when everything has been worked through.

    Attributes:
        on_roll: Person → whether aid goes on.
        referrals: Program and subject → whether it is open; False: its end was decided.
    """

    on_roll: dict[str, bool]
    referrals: dict[Held, bool]


def fold(facts: Iterable[Fact]) -> State:
    """The state after these facts, in any order: what ends, ends whatever came before it."""
    granted: set[str] = set()
    ended: set[str] = set()
    opened: set[Held] = set()
    stopped: set[Held] = set()
    for fact in facts:
        for person, on_roll in fact.on_roll.items():
            (granted if on_roll else ended).add(person)
        opened.update((one.program, one.subject) for one in fact.opens)
        stopped.update(fact.stops)
    return State(
        {person: person not in ended for person in granted},
        {held: held not in stopped for held in opened},
    )
