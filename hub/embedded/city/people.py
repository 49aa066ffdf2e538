"""Invented people: names, impossible ID numbers, addresses."""

from __future__ import annotations

import random
from datetime import date, timedelta

import msgspec

from hub.kernel.resident_ids import check_character

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红建国志文斌宇浩晨欣怡佳琪子涵梓轩雨桐"
STREETS = ("如城街道", "城北街道", "长江镇", "白蒲镇", "搬经镇", "丁堰镇")
"""Streets and towns of the demo city, in the order of their 9-digit codes."""


class Person(msgspec.Struct, frozen=True):
    """One invented person.

    Attributes:
        name: Drawn from common surnames and given names.
        id_number: 18 characters, prefix 99, right check character.
        birth: Date of birth.
        female: Sex; the sequence number of the ID says the same.
        phone: A number of the unassigned range 199-0000.
    """

    name: str
    id_number: str
    birth: date
    female: bool
    phone: str

    def age(self, on: date) -> int:
        """Completed years on a day."""
        return on.year - self.birth.year - ((on.month, on.day) < (self.birth.month, self.birth.day))


def synthetic_id(area: str, birth: date, sequence: int) -> str:
    """An ID number that cannot exist.

    Args:
        area: Four digits that follow the prefix 99.
        birth: Date of birth.
        sequence: 0 to 999; odd is male, even is female.
    """
    digits = f"99{area}{birth:%Y%m%d}{sequence:03d}"
    return digits + check_character(digits)


class People:
    """Draws people without repeating an ID number.

    Args:
        seed: The same seed draws the same people.
        area: Four digits that follow the prefix 99 in each ID number.
        today: Ages are drawn relative to this day.
    """

    def __init__(self, seed: int, *, area: str = "0682", today: date = date(2025, 1, 1)) -> None:
        self._random = random.Random(seed)  # noqa: S311 - invented people, not secrets
        self._area = area
        self._today = today
        self._taken: set[str] = set()

    def draw(self, age: int, *, female: bool | None = None, surname: str = "") -> Person:
        """One person of about this age."""
        woman = self._random.random() < 0.5 if female is None else female
        while True:
            born = self._today - timedelta(days=age * 365 + self._random.randrange(365))
            sequence = self._random.randrange(500) * 2 + (0 if woman else 1)
            number = synthetic_id(self._area, born, sequence)
            if number not in self._taken:
                break
        self._taken.add(number)
        given = "".join(self._random.sample(GIVEN, self._random.choice((1, 2, 2))))
        return Person(
            name=(surname or self._random.choice(SURNAMES)) + given,
            id_number=number,
            birth=born,
            female=woman,
            phone=f"199{self._random.randrange(100_000_000):08d}",
        )
