"""Expectations: what the programs must have received, written by hand, against what came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple


class Expected(NamedTuple):
    """Copies that one program must receive.

    Attributes:
        program: The receiver.
        type: Type of the copy; ``-annulled`` behind it where it takes a copy back.
        subject: Key of a person (``wang.head``), of a family (``wang``), or empty.
        times: How many distinct copies.
    """

    program: str
    type: str
    subject: str = ""
    times: int = 1


class Difference(NamedTuple):
    """One line of the check that failed."""

    program: str
    type: str
    subject: str
    expected: int
    received: int


Seen = tuple[str, str, str]
"""Program, type and subject of one distinct copy."""


def differences(expected: Iterable[Expected], received: Iterable[Seen]) -> list[Difference]:
    """What is missing and what is too much, in order of program, type and subject."""
    wanted: Counter[Seen] = Counter()
    for one in expected:
        wanted[one.program, one.type, one.subject] += one.times
    came = Counter(received)
    return [
        Difference(*seen, wanted[seen], came[seen])
        for seen in sorted(wanted.keys() | came.keys())
        if wanted[seen] != came[seen]
    ]


def total(expected: Iterable[Expected]) -> int:
    """How many copies are expected."""
    return sum(one.times for one in expected)
