"""Field grants: what a program or roster recipient may see; everything else is denied."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from hub.contracts.declarations import read, refuse
from hub.contracts.vocabularies import Vocabulary

MARKERS = ("", "accept", "consent", "auth", "month", "no_student_no", "match")
"""Conditions of a granted field, see the head of ``grants.yaml``."""


class GrantedField(msgspec.Struct, frozen=True):
    """A field granted under a marker; for ``month`` it is the derived field itself."""

    group: str
    field: str
    marker: str = ""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What one receiver may see."""

    program: str
    kind: str
    """``program`` or ``recipient`` (of rosters)."""
    zh: str
    en: str
    fields: tuple[GrantedField, ...]
    """In the order of the vocabulary."""
    bodies: tuple[str, ...] = ()

    @property
    def schema_file(self) -> str:
        """The file of its copies' schema below ``schemas/``."""
        return f"programs/{self.program}.avsc"

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Granted fields by group, in schema order."""
        found: dict[str, tuple[str, ...]] = {}
        for granted in self.fields:
            found[granted.group] = (*found.get(granted.group, ()), granted.field)
        return found


class _Receiver(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["program", "recipient"]
    zh: str
    en: str
    fields: dict[str, list[str]]
    bodies: list[str] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    everyone: dict[str, list[str]]
    receivers: dict[str, _Receiver]


def load_grants(path: Path, vocabulary: Vocabulary) -> dict[str, Grant]:
    """Read the grants and check them against the vocabulary.

    Raises:
        ConfigurationError: an unknown group, field, marker or body; names file and key.
    """
    file = read(path, _File)
    return {
        name: _grant(path, name, receiver, file.everyone, vocabulary)
        for name, receiver in file.receivers.items()
    }


def _grant(
    path: Path,
    name: str,
    receiver: _Receiver,
    everyone: dict[str, list[str]],
    vocabulary: Vocabulary,
) -> Grant:
    key = f"receivers.{name}"
    for body in receiver.bodies:
        if body not in vocabulary.bodies:
            refuse(path, f"{key}.bodies", f"the body {body} is not declared")
    fields = []
    for group, entries in {**receiver.fields, **everyone}.items():
        if group not in vocabulary.groups:
            refuse(path, f"{key}.fields.{group}", "the group is not declared")
        place = f"{key}.fields.{group}"
        fields += [_granted(path, place, group, entry, vocabulary) for entry in entries]
    order = {
        (group.name, field): place
        for place, (group, field) in enumerate(
            (group, field) for group in vocabulary.groups.values() for field in group.fields
        )
    }
    if len({(granted.group, granted.field) for granted in fields}) != len(fields):
        refuse(path, f"{key}.fields", "a field is granted twice")
    fields.sort(key=lambda granted: order[granted.group, granted.field])
    return Grant(
        program=name,
        kind=receiver.kind,
        zh=receiver.zh,
        en=receiver.en,
        fields=tuple(fields),
        bodies=tuple(receiver.bodies),
    )


def _granted(path: Path, key: str, group: str, entry: str, vocabulary: Vocabulary) -> GrantedField:
    field, _, marker = entry.partition("@")
    if marker not in MARKERS:
        refuse(path, key, f"the marker @{marker} is not known")
    if marker == "month":
        field = f"{field}_month"
    if field not in vocabulary.groups[group].fields:
        refuse(path, key, f"the field {field} is not declared")
    return GrantedField(group, field, marker)
