"""Pseudonyms of one receiver: persons, households, matters and causes, joinable by nobody else."""

from __future__ import annotations

from hub.kernel.macs import Mac, derive
from hub.kernel.person_keys import PairwiseKey, program_key

_KEPT = 65_536


class Pseudonyms:
    """Pairwise pseudonyms under the keys of one receiver.

    Persons have the program's own key, as everywhere; every other kind has a key derived from
    it, so that no text of one kind can meet one of another.

    Args:
        master: The master of all ``K_program``.
        program: The receiver's id.
        version: Version of its key.
    """

    __slots__ = ("_causes", "_homes", "_households", "_matters", "_persons", "_seen")

    def __init__(self, master: bytes, program: str, version: int = 1) -> None:
        key = program_key(master, program, version)
        self._persons = PairwiseKey(key)
        self._households = PairwiseKey(derive(key, "household"))
        self._matters = Mac(derive(key, "correlation")).first(16)
        self._causes = Mac(derive(key, "cause")).first(16)
        self._seen: dict[bytes, str] = {}
        self._homes: dict[str, str] = {}

    def person(self, uid: bytes) -> str:
        """``person_ref`` of a uid."""
        found = self._seen.get(uid)
        if found is None:
            found = self._persons.person_ref(uid)
            if len(self._seen) >= _KEPT:
                self._seen.clear()
            self._seen[uid] = found
        return found

    def household(self, household: str) -> str:
        """``household_ref`` of a household id."""
        found = self._homes.get(household)
        if found is None:
            found = self._households.person_ref(household.encode())
            if len(self._homes) >= _KEPT:
                self._homes.clear()
            self._homes[household] = found
        return found

    def matter(self, correlation: str) -> str:
        """Correlation id on a copy: 128 bits, hexadecimal."""
        return self._matters(correlation.encode()).hex()

    def cause(self, event_id: str) -> str:
        """Causation id on a copy: 128 bits, hexadecimal."""
        return self._causes(event_id.encode()).hex()
