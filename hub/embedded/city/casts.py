"""Cast of the demonstration's story: families under names, new people in every run."""

from __future__ import annotations

from datetime import date

import msgspec

from hub.embedded.city.households import Household, Member
from hub.embedded.city.people import STREETS, People, Person
from hub.kernel.resident_ids import CHECK_CHARACTERS

LOAD_FAMILIES = 24
"""Families that are granted aid one after the other, for the figures of latency."""


class Cast(msgspec.Struct, frozen=True):
    """Who appears in one run.

    Attributes:
        run: Number of the run; part of every record number, so that runs never meet.
        today: Day on which the story plays.
        families: Name → household; ``load01`` … are those of the load.
        alone: Name → person without a household.
    """

    run: int
    today: date
    families: dict[str, Household]
    alone: dict[str, Person]

    def person(self, key: str) -> Person:
        """``wang.head``, ``wang.child``, or the name of a person alone."""
        name, _, relation = key.partition(".")
        if not relation:
            return self.alone[name]
        return next(m.person for m in self.families[name].members if m.relation == relation)

    def people(self) -> dict[str, Person]:
        """Everybody by key."""
        found = {
            f"{name}.{member.relation}": member.person
            for name, family in self.families.items()
            for member in family.members
        }
        return found | self.alone

    def number(self, kind: str, name: str = "") -> str:
        """Number of a record, its own in every run."""
        return "-".join(filter(None, (kind, str(self.run), name)))


class _Registry:
    """Draws families whose numbers carry the run's."""

    def __init__(self, run: int, today: date) -> None:
        # Four digits of the ID number are the run's, so people of two runs are never the same.
        self._people = People(run, area=f"{run % 10_000:04d}", today=today)
        self._run = run
        self.families: dict[str, Household] = {}

    def person(self, age: int) -> Person:
        return self._people.draw(age)

    def family(
        self,
        name: str,
        head: int,
        child: int | None = None,
        *,
        pupil: bool = False,
        danger: str = "A",
        category: str = "",
        care_level: str = "",
    ) -> None:
        number = f"{self._run:04d}{len(self.families) + 1:03d}"
        members = [Member(self._people.draw(head, female=False), "head")]
        if child is not None:
            school = ("如城小学", "primary", f"S{number}1") if pupil else ()
            members.append(Member(self._people.draw(child), "child", *school))
        self.families[name] = Household(
            id=f"HD{number}",
            members=tuple(members),
            meter=f"0699{number}",
            area="320682001",
            address=f"{STREETS[0]}演示路{len(self.families) + 1}号",
            house=f"FD{number}",
            danger=danger,
            category=category,
            care_level=care_level,
        )


def cast(run: int, today: date) -> Cast:
    """The cast of a run: the same number gives the same people."""
    found = _Registry(run, today)
    found.family("wang", 45, 11, pupil=True, danger="D")
    found.family("wu", 44, 4)
    found.family("li", 40, 7, category="DIBAO", pupil=True)
    found.family("zhao", 52, category="DIBAO", danger="D")
    found.family("chen", 71, category="TEKUN", care_level="HALF_SELF_CARE")
    found.family("sun", 46, 10, pupil=True, category="DIBAO")
    found.family("zhou", 66, category="DIBAO")
    found.family("he", 35, category="DIBAO")
    for place in range(1, LOAD_FAMILIES + 1):
        found.family(f"load{place:02d}", 38, 9, pupil=True)
    alone = {"zheng": found.person(72), "feng": found.person(33), "typo": found.person(50)}
    alone["typo"] = _mistyped(alone["typo"])
    return Cast(run, today, found.families, alone)


def _mistyped(person: Person) -> Person:
    """The same person with a wrong check character."""
    # Three zeros at the end would look like a number that a spreadsheet cut.
    right = person.id_number[-1]
    wrong = person.id_number[:-1] + next(c for c in CHECK_CHARACTERS if c not in {right, "0"})
    return msgspec.structs.replace(person, id_number=wrong)
