"""Mixes: which facts come how often, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.faults.loads.builders import Builder
from tests.faults.loads.facts import Fact, Move
from tests.faults.loads.people import Family, Person, family, person

Drawn = Sequence[Move]

MIXES: dict[str, dict[str, float]] = {
    # Shares of draws; a stay draws four facts of one person, an end two.
    "baseline": {
        "stays": 14,
        "stranger": 20,
        "insured": 4,
        "job_lost": 22,
        "settlement": 12,
        "grant": 8,
        "end": 2,
        "again": 4,
        "changed": 1,
        "wrong_number": 3,
        "broken": 0.6,
        "listed": 0.2,
    },
    "referrals": {"grant": 60, "job_lost": 30, "end": 10},
    "chains": {"stays": 100},
    "strangers": {"stranger": 100},
}
_LIST_ROWS = 10
_KEPT = 200
"""Granted families that an end, a repeat or a change may pick from."""


class Mix:
    """Draws facts without end.

    Args:
        name: Of :data:`MIXES`.
        builder: Makes them.
        seed: The same seed draws the same facts.
        people: How many people there are; strangers come up again once all were drawn.
        files: Whether a drop folder is there for lists.
    """

    def __init__(
        self, name: str, builder: Builder, *, seed: int, people: int, files: bool = True
    ) -> None:
        shares = dict(MIXES[name])
        if not files:
            shares.pop("listed", None)
        self._names, self._shares = [*shares], [*shares.values()]
        self._random = random.Random(seed)  # noqa: S311 - invented records, not secrets
        self._seed, self._people = seed, people
        self._builder = builder
        self._families = self._drawn = self._fresh = 0
        self._granted: list[tuple[Move, Family]] = []
        self._pending: dict[int, tuple[Move, Family]] = {}
        self.roll: list[Family] = []
        self._kinds: dict[str, Callable[[], Drawn]] = {
            "stays": self._stays,
            "stranger": self._stranger,
            "job_lost": lambda: (builder.job_lost(self._new_person()),),
            "insured": lambda: (builder.insured(self._new_person()),),
            "settlement": self._settlement,
            "grant": lambda: (self._grant(),),
            "end": self._end,
            "again": self._again,
            "changed": self._changed,
            "wrong_number": lambda: (builder.wrong_number(self._new_person()),),
            "broken": lambda: (builder.broken(),),
            "listed": self._listed,
        }

    def opening(self, families: int) -> list[Move]:
        """Grants of the families that are on roll throughout; nothing else happens to them."""
        self.roll = [self._family() for _ in range(families)]
        return [self._builder.grant(one) for one in self.roll]

    def draw(self) -> Drawn:
        """The next facts; those of one draw belong together."""
        (name,) = self._random.choices(self._names, self._shares)
        return self._kinds[name]()

    def acked(self, fact: Fact) -> None:
        """A grant is certain: others may refer to it."""
        granted = self._pending.pop(fact.n, None)
        if granted is not None:
            self._granted.append(granted)
            del self._granted[:-_KEPT]

    def _new_person(self) -> Person:
        """Somebody who appears in nothing else; drawn from beyond the strangers and families."""
        self._fresh += 1
        return person(self._seed, 2 * self._people + self._fresh)

    def _family(self) -> Family:
        self._families += 1
        # Two people each, from behind the strangers; far more than a load can grant.
        first = 8 * self._people + 2 * self._families
        return family(self._seed, self._builder.run, self._families, first)

    def _grant(self) -> Move:
        chosen = self._family()
        move = self._builder.grant(chosen)
        self._pending[move.fact.n] = move, chosen
        return move

    def _stays(self) -> Drawn:
        patient = self._random.choice(self.roll).head
        first = self._builder.stay(patient, cancelled=False)
        return *first, *self._builder.stay(patient, cancelled=self._random.random() < 0.5)

    def _stranger(self) -> Drawn:
        self._drawn += 1
        return (self._builder.stranger(person(self._seed, self._drawn % self._people)),)

    def _settlement(self) -> Drawn:
        return (self._builder.settlement(self._random.choice(self.roll).member),)

    def _end(self) -> Drawn:
        if not self._granted:
            return (self._grant(),)
        _, chosen = self._granted.pop(self._random.randrange(len(self._granted)))
        return self._builder.decided_end(chosen)

    def _again(self) -> Drawn:
        if not self._granted:
            return (self._grant(),)
        move, _ = self._random.choice(self._granted)
        return (self._builder.again(move),)

    def _changed(self) -> Drawn:
        if not self._granted:
            return (self._grant(),)
        move, _ = self._random.choice(self._granted)
        return (self._builder.changed(move),)

    def _listed(self) -> Drawn:
        return tuple(self._builder.relapses([self._new_person() for _ in range(_LIST_ROWS)]))
