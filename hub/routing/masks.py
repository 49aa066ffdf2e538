"""Masks: from everything known to exactly the granted fields (rule R3, deny by default).

Compiled once per receiver. A field leaves if it is granted and its condition is met; what is
not granted is never looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from hub.contracts.catalogues import Catalogue
from hub.contracts.events import Groups
from hub.contracts.grants import Grant
from hub.routing.derived import DERIVED, Derive, member_age
from hub.routing.pseudonyms import Pseudonyms

ALWAYS = ("", "month")
"""Markers that are no condition: the month forms are fields of their own."""
RELEASES = {"referral.details_released": "accept", "electricity.match_requested": "match"}
"""Copy types that exist to carry the fields of one marker."""
PAYLOADS: dict[str, tuple[str, ...] | None] = {"empty": (), "id": ("id",), "full": None}
"""Groups that an agreement's payload class lets through; None: every granted one."""


_NOTHING: dict[str, Any] = {}


class Left(NamedTuple):
    """What a copy holds."""

    groups: Groups
    fields: list[str]
    """Paths, e.g. ``id.name``."""


class _Group(NamedTuple):
    name: str
    plain: tuple[tuple[str, str], ...]
    derived: tuple[tuple[str, str, Derive], ...]


class Mask:
    """The mask of one receiver.

    Args:
        grant: What it may see.
        payload: Payload class of its agreement.
        catalogue: Tells the classes of the fields.
    """

    def __init__(self, grant: Grant, payload: str, catalogue: Catalogue) -> None:
        through = PAYLOADS[payload]
        self.granted = tuple(
            field for field in grant.fields if through is None or field.group in through
        )
        text = ",".join(f"{f.group}.{f.field}@{f.marker}" for f in self.granted)
        self.version = hashlib.sha256(text.encode()).hexdigest()[:12]
        self.groups = frozenset(field.group for field in self.granted)
        self.classes = frozenset(
            catalogue.groups[f.group].fields[f.field].klass for f in self.granted
        )
        self._markers = {field.marker for field in self.granted} - {*ALWAYS}
        self._events = {name: event.groups for name, event in catalogue.events.items()}
        self._plans: dict[frozenset[str], tuple[_Group, ...]] = {}
        self._held: dict[tuple[str, frozenset[str]], tuple[str, ...]] = {}

    def conditions(self, copy_type: str, groups: Groups, met: tuple[str, ...]) -> frozenset[str]:
        """The markers whose condition is met.

        Args:
            copy_type: Type of the copy; two of them release the fields of one marker.
            groups: Raw groups.
            met: ``consent`` or ``auth`` where the decider proved it.
        """
        if not self._markers:
            return frozenset()
        found = {marker for marker in met if marker in self._markers}
        if copy_type in RELEASES:
            found.add(RELEASES[copy_type])
        if not groups.get("school", {}).get("student_no"):
            found.add("no_student_no")
        return frozenset(found & self._markers)

    def apply(self, groups: Groups, met: frozenset[str], names: Pseudonyms, day: int) -> Left:
        """The granted fields of what is known; groups without any stay away.

        Args:
            groups: Raw groups, dates in days, money in fen.
            met: From :meth:`conditions`.
            names: The receiver's pseudonyms, for household members.
            day: Day of the copy, for ages and live spells.
        """
        copy: Groups = {}
        fields: list[str] = []
        plans = self._plans.get(met) or self._plan(met)
        for name, plain, derived in plans:
            raw = groups.get(name) or _NOTHING
            if not raw and not derived:
                continue
            kept: dict[str, Any] = {}
            for field, path in plain:
                value = raw.get(field)
                if value is not None:
                    kept[field] = value
                    fields.append(path)
            for field, path, derive in derived:
                value = derive(groups, day)
                if value is None:
                    # A roster row holds the derived form itself.
                    value = raw.get(field)
                if value is not None:
                    kept[field] = value
                    fields.append(path)
            if kept:
                copy[name] = kept
        if "household" in copy:
            _pseudonymise(copy["household"], names, day)
        return Left(copy, fields)

    def held_back(self, copy_type: str, met: frozenset[str]) -> tuple[str, ...]:
        """Names of groups the receiver does not get or does not get yet, for ``masked``.

        The list depends on the type shown and the conditions alone, never on what the event
        holds: a name in it would tell of an illness or a death.
        """
        found = self._held.get((copy_type, met))
        if found is None:
            open_now = {group.name for group in self._plans.get(met) or self._plan(met)}
            carried = {*self._events.get(copy_type, ()), *self.groups}
            found = self._held[copy_type, met] = tuple(sorted(carried - open_now))
        return found

    def _plan(self, met: frozenset[str]) -> tuple[_Group, ...]:
        plain: dict[str, list[tuple[str, str]]] = {}
        derived: dict[str, list[tuple[str, str, Derive]]] = {}
        for group, field, marker in ((f.group, f.field, f.marker) for f in self.granted):
            plain.setdefault(group, [])
            derived.setdefault(group, [])
            if marker not in ALWAYS and marker not in met:
                continue
            path = f"{group}.{field}"
            make: Callable[..., Any] | None = DERIVED.get((group, field))
            if make is not None:
                derived[group].append((field, path, make))
            else:
                plain[group].append((field, path))
        plans = tuple(
            _Group(name, tuple(plain[name]), tuple(derived[name]))
            for name in plain
            if plain[name] or derived[name]
        )
        self._plans[met] = plans
        return plans


def _pseudonymise(household: dict[str, Any], names: Pseudonyms, day: int) -> None:
    """Members of that day as pseudonym, relation and age band; nothing else of them."""
    if "members" not in household:
        return
    household["members"] = [
        {
            "person_ref": names.person(bytes.fromhex(member["ref"])) if member.get("ref") else None,
            "relation": member.get("relation"),
            "age_band": member_age(member, day),
        }
        for member in household["members"]
        if member.get("valid_to") is None or member["valid_to"] > day
    ]
