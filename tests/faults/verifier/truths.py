"""Truths: the load's ledger, and which event on the hub is which fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from tests.faults.loads.facts import DUPLICATE, Fact
from tests.faults.loads.ledgers import Outcome, read
from tests.faults.verifier.sets import Event

Name = tuple[str, str, str, str]
"""Source, record key, type and lifecycle: what names a fact on both sides."""


def name_of(fact: Fact) -> Name:
    """The name of a fact; every repeat has the name of its original."""
    return fact.source, fact.key, fact.type, fact.lifecycle


class Truth(NamedTuple):
    """What departments said.

    Attributes:
        facts: By number.
        outcomes: By number.
    """

    facts: dict[int, Fact]
    outcomes: dict[int, Outcome]

    @classmethod
    def load(cls, folders: Iterable[Path]) -> Truth:
        """The ledgers of all generators; numbers of later ones are moved out of the way."""
        facts: dict[int, Fact] = {}
        outcomes: dict[int, Outcome] = {}
        for folder in folders:
            base = max(facts, default=0)
            found, came = read(folder)
            facts |= {base + n: _moved(fact, base) for n, fact in found.items()}
            outcomes |= {base + n: outcome for n, outcome in came.items()}
        return cls(facts, outcomes)

    def acked(self) -> list[Fact]:
        """Facts a department was told are in good hands."""
        return [fact for n, fact in self.facts.items() if self.outcomes[n] == "acked"]

    def possible(self) -> list[Fact]:
        """Facts that may have come: acknowledged, or nobody knows."""
        return [fact for n, fact in self.facts.items() if self.outcomes[n] != "failed"]

    @property
    def balance(self) -> int:
        """People of opening balances."""
        return sum(fact.balance for fact in self.facts.values())

    def originals(self) -> dict[Name, Fact]:
        """Name → the fact itself, not its repeats."""
        found: dict[Name, Fact] = {}
        for fact in self.possible():
            if fact.key and fact.disposition != DUPLICATE and not is_changed(fact):
                found.setdefault(name_of(fact), fact)
        return found


def _moved(fact: Fact, base: int) -> Fact:
    """The fact with its number, and those of the facts that open referrals, moved up."""
    opens = tuple(replace(one, episode=base + one.episode) for one in fact.opens)
    return replace(fact, n=base + fact.n, opens=opens)


def is_changed(fact: Fact) -> bool:
    """Whether it is other content under the name of another fact."""
    return fact.code == "E-CHANGED-WITHOUT-VERSION"


def events_by_name(events: Iterable[Event]) -> dict[Name, list[Event]]:
    """Events by what names them."""
    found: dict[Name, list[Event]] = defaultdict(list)
    for event in events:
        found[event.source, event.key, event.type, event.lifecycle].append(event)
    return found
