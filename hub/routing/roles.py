"""Roles: for whom a program is told of an event, out of the person directory and the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hub.contracts.events import CanonicalEvent, Groups
from hub.model.folding import Spell
from hub.model.households import (
    Resident,
    View,
    category_group,
    household_group,
    on_roll,
    person_groups,
)
from hub.model.records import Referral
from hub.model.states import State
from hub.routing.gates import has_role

SHARED = frozenset({"meter", "house"})
"""Subjects that belong to a household and not to one person."""
_SUBJECT_FIELDS = {"meter": "meter_account", "house": "house_ref"}
_KEPT = ("id", "contact", "area", "school")


class Role(NamedTuple):
    """Whom one copy is about."""

    uid: bytes | None
    ordinal: str
    """Tells the copies of one event and program apart; never leaves the hub."""
    groups: Groups
    household: str | None = None


class Circle:
    """The people and ledger rows that one event touches.

    Args:
        state: Loaded records.
        event: The event.
        views: Of its household or person.
    """

    def __init__(self, state: State, event: CanonicalEvent, views: list[View]) -> None:
        self.state = state
        self.event = event
        self.views = views
        self.day = event.effective_from
        self.people = self._people()
        self._known: dict[bytes, Role] = {}
        self._things = self._shared_rows()

    def _people(self) -> list[tuple[bytes, View | None, Resident | None]]:
        """Whom the event is about: a household fact is about every member of that day."""
        asked = self.event.uid
        found: dict[bytes, tuple[bytes, View | None, Resident | None]] = {}
        for view in self.views:
            for resident in view.residents:
                if resident.uid == asked or (self._common() and self._lives(resident)):
                    found.setdefault(resident.uid, (resident.uid, view, resident))
        if asked is not None:
            found.setdefault(asked, (asked, None, None))
        return list(found.values())

    def _common(self) -> bool:
        event = self.event
        if event.household is None:
            return False
        if event.type.startswith("category."):
            return event.groups.get("category", {}).get("scope") != "single_person"
        return event.type == "household.changed"

    def _lives(self, resident: Resident) -> bool:
        return any(
            stay.start <= self.day and (stay.end is None or self.day <= stay.end)
            for stay in resident.stays
        )

    def on_roll(self) -> bool:
        """Whether anybody the event is about is on roll on its effective day."""
        return any(view and on_roll(view, uid, self.day) for uid, view, _ in self.people)

    def roles(self, program: str, roll: tuple[str, ...], *, opens: bool) -> list[Role]:
        """For whom the program has a role on the effective day; empty: for nobody.

        Args:
            program: The receiver.
            roll: Categories whose holders it looks after by its office.
            opens: The event opens a case there, role or not.
        """
        found = self._shared(program)
        if not found:
            for uid, view, resident in self.people:
                interests = self.state.interests.get(uid, {}).values()
                if (opens and uid == self.event.uid) or (
                    has_role(interests, program, self.day) or _holds(view, uid, roll, self.day)
                ):
                    found.append(self.role(uid, view, resident))
        if not found and opens:
            found.append(Role(self.event.uid, "", self.event.groups, self.event.household))
        return found

    def role(self, uid: bytes, view: View | None = None, resident: Resident | None = None) -> Role:
        """One person with what is known about them; the event's own content comes first."""
        found = self._known.get(uid)
        if found is None:
            found = self._known[uid] = self._role(uid, view, resident)
        return found

    def _role(self, uid: bytes, view: View | None, resident: Resident | None) -> Role:
        known: Groups = {}
        if view is not None and resident is not None:
            known = {n: g for n, g in person_groups(resident).items() if n in _KEPT}
            spell = on_roll(view, uid, self.day) or _ending(resident, self.day)
            if spell is not None:
                known["category"] = category_group(spell)
            if view.household is not None:
                known["household"] = household_group(view)
        own = self.event.groups
        if uid != self.event.uid:
            # What names the event's person is not about another member of the household.
            own = {name: group for name, group in own.items() if name not in _KEPT}
        ordinal = "" if uid == self.event.uid else f"told:{uid.hex()}"
        household = view.household if view is not None else self.event.household
        return Role(uid, ordinal, _merged(known, own), household)

    def _shared(self, program: str) -> list[Role]:
        """Roles for a meter or house of the household, out of the ledger."""
        if not self._things:
            return []
        found: dict[str, Role] = {}
        for row in self._things:
            if row.program == program:
                found[row.subject_ref] = self._subject(row)
        return list(found.values())

    def _shared_rows(self) -> list[Referral]:
        """Rows about meters and houses that cover the day; looked for once for all programs."""
        households = {view.household for view in self.views if view.household is not None}
        rows = [
            self.state.referrals[key]
            for household in sorted(households)
            for key in sorted(self.state.by_household.get(household, ()))
        ]
        return [row for row in rows if row.subject_kind in SHARED and _covers(row, self.day)]

    def _subject(self, row: Referral) -> Role:
        subject = {row.subject_kind: {_SUBJECT_FIELDS[row.subject_kind]: row.subject_ref}}
        people: Iterable[tuple[bytes, View | None, Resident | None]] = (
            (resident.uid, view, resident)
            for view in self.views
            for resident in view.residents
            if resident.uid == row.uid
        )
        for uid, view, resident in people:
            known = self.role(uid, view, resident)
            return known._replace(
                ordinal=f"told:{row.subject_ref}", groups={**known.groups, **subject}
            )
        own = {name: group for name, group in self.event.groups.items() if name not in _KEPT}
        return Role(row.uid, f"told:{row.subject_ref}", {**own, **subject}, row.household)


def _covers(row: Referral, day: int) -> bool:
    return row.spell_from <= day and (row.spell_to is None or day <= row.spell_to)


def _holds(view: View | None, uid: bytes, roll: tuple[str, ...], day: int) -> bool:
    if not roll or view is None:
        return False
    spell = on_roll(view, uid, day)
    return spell is not None and spell.last.category in roll


def _ending(resident: Resident, day: int) -> Spell | None:
    return next((spell for spell in resident.spells if spell.end == day), None)


def _merged(known: Groups, own: Groups) -> Groups:
    merged = dict(known)
    for name, group in own.items():
        base = merged.get(name)
        merged[name] = (
            {**base, **{f: v for f, v in group.items() if v is not None}} if base else group
        )
    return merged
