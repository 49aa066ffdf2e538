"""Subjects: whom a copy is about, found as an operator can and a program cannot."""

from __future__ import annotations

from collections.abc import Iterable

from hub.embedded.city.casts import Cast
from hub.kernel.errors import DataError
from hub.kernel.person_keys import UidKey
from hub.kernel.resident_ids import checked
from hub.kernel.secrets import Secrets
from hub.routing.pseudonyms import Pseudonyms
from hub.sdk.programs import Copy


class Subjects:
    """Pseudonym → key of the cast, for every program.

    Args:
        cast: People and families of the story.
        secrets: ``k_uid`` and ``k_program``.
        programs: Every receiver.
    """

    def __init__(self, cast: Cast, secrets: Secrets, programs: Iterable[str]) -> None:
        uid = UidKey(secrets.k_uid)
        people = {
            key: uid.uid(person.id_number)
            for key, person in cast.people().items()
            if _usable(person.id_number)
        }
        self._known: dict[tuple[str, str], str] = {}
        for program in programs:
            names = Pseudonyms(secrets.k_program, program)
            for key, one in people.items():
                self._known[program, names.person(one)] = key
            for key, family in cast.families.items():
                self._known[program, names.household(family.id)] = key

    def of(self, copy: Copy) -> str:
        """The person's key, else the family's, else nothing."""
        for name in ("person_ref", "household_ref"):
            ref = copy.data.get(name)
            if ref:
                return self._known.get((copy.program, ref), "?")
        return ""


def _usable(number: str) -> bool:
    try:
        checked(number, True, "99991231")  # noqa: FBT003 - the function's own order
    except DataError:
        return False
    return True
