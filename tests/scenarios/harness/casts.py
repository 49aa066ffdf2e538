"""Casts: the people of a scenario under their fixture keys (A, A2, B …)."""

from __future__ import annotations

from datetime import date

from hub.embedded.city.households import Household, Member
from hub.embedded.city.people import People, Person, synthetic_id
from hub.kernel.resident_ids import CHECK_CHARACTERS


class Cast:
    """Invented people by fixture key, and their households.

    Args:
        today: Ages are counted on this day.
    """

    def __init__(self, today: date) -> None:
        self._people = People(20250101, today=today)
        self.persons: dict[str, Person] = {}
        self.households: dict[str, Household] = {}

    def person(self, key: str, age: int, *, wrong_check: bool = False) -> Person:
        """A new person; with a wrong check character on demand."""
        found = self._people.draw(age)
        if wrong_check:
            found = Person(
                found.name, _wrong(found.id_number), found.birth, found.female, found.phone
            )
        self.persons[key] = found
        return found

    def household(
        self,
        key: str,
        members: dict[str, int],
        *,
        pupils: tuple[str, ...] = (),
        danger: str = "A",
        category: str = "",
        care: str = "",
        meter: str = "",
    ) -> Household:
        """A new household: fixture key → age of each member, the head first."""
        number = len(self.households) + 1
        people = []
        for place, (name, age) in enumerate(members.items()):
            person = self.persons.get(name) or self.person(name, age)
            school = ("如城小学", "primary", f"S32068200{number}{place}") if name in pupils else ()
            people.append(Member(person, "child" if place else "head", *school))
        found = Household(
            id=f"H-{key}",
            members=tuple(people),
            meter=meter or f"0682{number:08d}",
            area="320682001",
            address=f"如城街道{number}号",
            house=f"F-{key}",
            danger=danger,
            category=category,
            care_level=care,
        )
        self.households[key] = found
        return found

    def key_of(self, id_number: str) -> str:
        """The fixture key of an ID number."""
        return next(k for k, p in self.persons.items() if p.id_number == id_number)


def corrected(person: Person) -> Person:
    """The same person with the right check character."""
    number = synthetic_id(person.id_number[2:6], person.birth, int(person.id_number[14:17]))
    return Person(person.name, number, person.birth, person.female, person.phone)


def _wrong(id_number: str) -> str:
    right = CHECK_CHARACTERS.index(id_number[-1])
    return id_number[:-1] + CHECK_CHARACTERS[(right + 1) % 11]
