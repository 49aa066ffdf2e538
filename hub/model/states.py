"""State: the records of one batch, as deciders read them and as decisions change them."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import Any

import msgspec

from hub.model.records import (
    RECORDS,
    Case,
    Decided,
    Household,
    Interest,
    ListRow,
    Person,
    Referral,
    RosterRow,
    Task,
    Told,
)

_HELD: dict[type, tuple[str, str]] = {
    Person: ("persons", "uid"),
    Household: ("households", "id"),
    Case: ("cases", "id"),
    Task: ("tasks", "id"),
    Decided: ("decisions", "id"),
    Told: ("told", "id"),
}
"""Records under a single key: where the state holds them."""
_FOLDED = frozenset({"persons", "households"})
_KEYS = {record: (record.TABLE, record.KEY) for record in RECORDS}


class Keys(msgspec.Struct, frozen=True, gc=False):
    """What must be on hand before an event can be decided."""

    uids: frozenset[bytes] = frozenset()
    households: frozenset[str] = frozenset()
    referrals: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    """Meter accounts or house references: their ledger rows and households are loaded too."""
    lists: frozenset[tuple[str, str]] = frozenset()
    decisions: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()
    """Roster recipients whose whole roster is needed (snapshots)."""
    told: frozenset[str] = frozenset()
    """event ids whose receivers are needed (corrections, annulments)."""
    persons: frozenset[bytes] = frozenset()
    """uids of whom the person record alone is needed, without household and ledger."""

    def __or__(self, other: Keys) -> Keys:
        """The union."""
        return Keys(*(getattr(self, f) | getattr(other, f) for f in self.__struct_fields__))


_FIELDS = tuple(map(attrgetter, Keys.__struct_fields__))


class Need(Exception):  # noqa: N818 - a request, not an error
    """A decider asks for records that were not loaded; the lane loads them and calls again."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(keys)
        self.keys = keys


class State:
    """Records by type and key. ``apply`` is the only way to change it."""

    def __init__(self) -> None:
        self.persons: dict[bytes, Person] = {}
        self.households: dict[str, Household] = {}
        self.referrals: dict[str, Referral] = {}
        self.interests: dict[bytes, dict[tuple[str, int], Interest]] = defaultdict(dict)
        self.cases: dict[str, Case] = {}
        self.tasks: dict[str, Task] = {}
        self.lists: dict[tuple[str, str], dict[int, ListRow]] = defaultdict(dict)
        self.rosters: dict[str, dict[str, RosterRow]] = defaultdict(dict)
        self.decisions: dict[str, Decided] = {}
        self.told: dict[str, Told] = {}
        self.by_household: dict[str, set[str]] = defaultdict(set)
        """household → referral ids."""
        self.by_person: dict[bytes, set[str]] = defaultdict(set)
        """uid → referral ids."""
        self.by_subject: dict[str, set[str]] = defaultdict(set)
        """subject_ref → referral ids."""
        self.folded: dict[Any, tuple[tuple[Any, ...], Any]] = {}
        """household or uid → (records, the view made of exactly these); a memory, nothing else."""
        self.turn = 0
        """Counts what folding reads: rises whenever a person or household is put."""
        self.viewed: tuple[Any, int, list[Any]] | None = None
        """Event, turn and the views made for them; a memory, nothing else."""
        self.loaded = Keys()
        self.dirty: dict[tuple[str, Any], Any] = {}
        """(table, key) → record, in order of first change; what the store writes."""

    def put(self, record: Any) -> None:
        """Hold a record without marking it for writing (the loader's way in)."""
        held = _HELD.get(type(record))
        if held is not None:
            name, key = held
            getattr(self, name)[getattr(record, key)] = record
            if name in _FOLDED:
                self.turn += 1
            return
        match record:
            case Referral():
                self._put_referral(record)
            case Interest():
                self.interests[record.uid][record.program, record.valid_from] = record
            case ListRow():
                self.lists[record.source, record.list_ref][record.row_no] = record
            case RosterRow():
                self.rosters[record.recipient][record.row_key] = record

    def _put_referral(self, record: Referral) -> None:
        self.referrals[record.id] = record
        self.by_subject[record.subject_ref].add(record.id)
        if record.household is not None:
            self.by_household[record.household].add(record.id)
        if record.uid is not None:
            self.by_person[record.uid].add(record.id)

    def apply(self, changes: tuple[Any, ...]) -> None:
        """Hold changed records and mark them for writing at the end of the batch."""
        for record in changes:
            self.put(record)
            table, key = _KEYS[type(record)]
            self.dirty[table, tuple([getattr(record, name) for name in key])] = record

    def require(self, keys: Keys) -> None:
        """Make sure these were loaded.

        Raises:
            Need: something is missing.
        """
        loaded = self.loaded
        if all(wanted(keys) <= wanted(loaded) for wanted in _FIELDS):
            return
        missing = (wanted(keys) - wanted(loaded) for wanted in _FIELDS)
        raise Need(Keys(*missing))
