"""Invented people: the same seed and index always give the same person, none twice."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
_FIRST_BIRTH = date(1950, 1, 1)
_BIRTH_DAYS = 20_000


class Person(msgspec.Struct, frozen=True):
    """Somebody who cannot exist: the ID number begins with 99.

    Attributes:
        name: Invented.
        id_number: 18 characters with a right check character.
    """

    name: str
    id_number: str


class Family(msgspec.Struct, frozen=True):
    """A head and further members, with one meter."""

    number: str
    head: Person
    member: Person
    meter: str
    others: tuple[Person, ...] = ()

    @property
    def people(self) -> tuple[Person, ...]:
        """All, the head first."""
        return self.head, self.member, *self.others


def check_character(digits: str) -> str:
    """ISO 7064 MOD 11-2 over the first 17 digits."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return _CHECKS[total % 11]


def person(seed: int, index: int) -> Person:
    """The person of an index, 0 … 20,000,000 for one seed modulo 10,000."""
    born = _FIRST_BIRTH + timedelta(days=index % _BIRTH_DAYS)
    digits = f"99{seed % 10_000:04d}{born:%Y%m%d}{index // _BIRTH_DAYS:03d}"
    name = _SURNAMES[index % len(_SURNAMES)] + _GIVEN[index // 7 % len(_GIVEN)]
    return Person(name, digits + check_character(digits))


def family(seed: int, run: str, index: int, first: int, *, size: int = 2) -> Family:
    """The family of an index.

    Args:
        seed: Of the people.
        run: Part of its number, so that two runs never share one.
        index: Of the family.
        first: Index of its first person.
        size: How many they are, at least two.
    """
    head, member, *others = (person(seed, first + n) for n in range(size))
    return Family(
        f"VF{run}-{index:06d}",
        head,
        member,
        f"0{seed % 10_000:04d}{index:07d}",
        tuple(others),
    )


def mistyped(number: str) -> str:
    """The ID number with a wrong check character; no zeros at the end, as a spreadsheet makes."""
    wrong = next(c for c in "123456789" if c != number[-1])
    return number[:-1] + wrong
