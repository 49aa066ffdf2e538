"""Invented households: members, pupils, a meter, sometimes a dangerous house, a category."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

import msgspec

from hub.embedded.city.people import STREETS, People, Person

CARE_LEVELS = ("FULL_SELF_CARE", "HALF_SELF_CARE", "FULL_CARE")


class Member(msgspec.Struct, frozen=True):
    """A person in a household.

    Attributes:
        person: Who.
        relation: ``head``, ``spouse``, ``child`` or ``parent``.
        school: The school of a pupil, else empty.
        stage: ``primary``, ``junior`` or ``senior``, else empty.
        student_no: Number at the school, else empty.
    """

    person: Person
    relation: str
    school: str = ""
    stage: str = ""
    student_no: str = ""


class Household(msgspec.Struct, frozen=True):
    """A household as civil affairs would register it.

    Attributes:
        id: Issued by civil affairs.
        members: The head first.
        meter: Account at the power company.
        area: 9-digit code of the street or town.
        address: Street and house number.
        house: House reference.
        danger: Grade A to D of the house; C and D are dangerous.
        category: ``DIBAO``, ``TEKUN`` or empty.
        care_level: Care level of a TEKUN person, else empty.
    """

    id: str
    members: tuple[Member, ...]
    meter: str
    area: str
    address: str
    house: str
    danger: str = "A"
    category: str = ""
    care_level: str = ""

    @property
    def head(self) -> Person:
        """The first member."""
        return self.members[0].person

    @property
    def pupils(self) -> tuple[Member, ...]:
        """Members who go to school."""
        return tuple(m for m in self.members if m.student_no)


class Households:
    """Draws households.

    Args:
        seed: The same seed draws the same city.
        division: 6-digit code of the city.
        covered: Share of households on roll (in China 4.7 % of people are low-income).
        today: Day relative to which ages are drawn.
    """

    def __init__(
        self,
        seed: int,
        *,
        division: str = "320682",
        covered: float = 0.05,
        today: date = date(2025, 1, 1),
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311 - invented people, not secrets
        self._people = People(seed + 1, today=today)
        self._division = division
        self._covered = covered
        self._today = today
        self._count = 0

    def draw(self, people: int) -> Iterator[Household]:
        """Households until they hold at least this many people."""
        drawn = 0
        while drawn < people:
            household = self.one()
            drawn += len(household.members)
            yield household

    def one(self, *, category: str | None = None, children: int | None = None) -> Household:
        """One household; given values are kept, the rest is drawn."""
        self._count += 1
        number = self._count
        street = self._random.randrange(len(STREETS))
        elderly = self._random.random() < 0.2
        if category is None:
            category = self._category(elderly=elderly)
        members = self._members(number, elderly=elderly, children=children)
        return Household(
            id=f"H{self._division}{number:06d}",
            members=members,
            meter=f"{self._division[2:]}{number:08d}",
            area=f"{self._division}{street + 1:03d}",
            address=f"{STREETS[street]}{self._random.randrange(1, 90)}号",
            house=f"F{self._division}{number:06d}",
            danger=self._random.choices("ABCD", (80, 14, 4, 2))[0],
            category=category,
            care_level=self._random.choice(CARE_LEVELS) if category == "TEKUN" else "",
        )

    def _category(self, *, elderly: bool) -> str:
        if self._random.random() >= self._covered:
            return ""
        return "TEKUN" if elderly and self._random.random() < 0.6 else "DIBAO"

    def _members(self, number: int, *, elderly: bool, children: int | None) -> tuple[Member, ...]:
        if elderly and not children:
            return (Member(self._people.draw(self._random.randrange(66, 90)), "head"),)
        age = self._random.randrange(28, 56)
        members = [Member(self._people.draw(age, female=False), "head")]
        if self._random.random() < 0.8:
            spouse = self._people.draw(age - self._random.randrange(4), female=True)
            members.append(Member(spouse, "spouse"))
        if children is None:
            children = self._random.choices((0, 1, 2), (3, 5, 2))[0]
        surname = members[0].person.name[0]
        members.extend(self._child(number, child, surname) for child in range(children))
        return tuple(members)

    def _child(self, number: int, child: int, surname: str) -> Member:
        person = self._people.draw(self._random.randrange(3, 18), surname=surname)
        age = person.age(self._today)
        if age < 6:
            return Member(person, "child")
        stage = "primary" if age < 12 else "junior" if age < 15 else "senior"
        school = f"{self._random.choice(STREETS)[:2]}{_SCHOOLS[stage]}"
        return Member(person, "child", school, stage, f"S{number:06d}{child}")


_SCHOOLS = {"primary": "小学", "junior": "初级中学", "senior": "高级中学"}
