"""The vocabulary: field groups with their fields and classes, and the event types."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from hub.contracts.declarations import read, refuse

COPIES_ONLY = "inbox"
CARRIERS = ("event", "reply", COPIES_ONLY)
"""Where a type travels: ``event.<family>``, ``program.<id>.reply``, copies only."""
PLAIN_TYPES = ("string", "code", "bool", "int", "date", "instant", "money", "strings")

_EVENT = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_NAME = re.compile(r"[a-z][a-z_]*")


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field: the unit of granting.

    ``type`` is a plain type, ``list:RECORD`` or ``enum:NAME``. ``derived`` fields exist in
    copies only, ``internal`` ones (of list items) in events only.
    """

    name: str
    type: str
    zh: str
    en: str
    klass: str
    derived: bool = False
    internal: bool = False


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A field group (unit of encryption), a body of copies, or the record of a list item."""

    name: str
    zh: str
    en: str
    owner: str
    klass: str
    fields: dict[str, Field]


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """One event type and its names everywhere."""

    type: str
    zh: str
    en: str
    ce_type: str
    topic: str
    """``event.<family>``; empty for types that travel as copies or replies only."""
    record_name: str
    publishers: tuple[str, ...]
    groups: tuple[str, ...]
    """Groups it may carry, in schema order."""
    required: tuple[str, ...]
    carried: tuple[str, ...]

    @property
    def schema_file(self) -> str:
        """The schema's file below ``schemas/``; empty where only copies travel."""
        return "" if self.carried == (COPIES_ONLY,) else f"events/{self.type}.avsc"


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in ``vocabulary.yaml``, checked."""

    enums: dict[str, tuple[str, ...]]
    records: dict[str, Group]
    groups: dict[str, Group]
    bodies: dict[str, Group]
    events: dict[str, EventType]


class _Field(msgspec.Struct, forbid_unknown_fields=True):
    type: str | dict[str, str]
    zh: str
    en: str
    klass: str = msgspec.field(name="class", default="")
    derived: bool = False
    internal: bool = False


class _Group(msgspec.Struct, forbid_unknown_fields=True):
    zh: str
    en: str
    fields: dict[str, _Field]
    klass: str = msgspec.field(name="class")
    owner: str = "hub"


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    zh: str
    en: str
    publishers: list[str]
    groups: list[str] = []
    required: list[str] = []
    carried: tuple[str, ...] = ("event",)


class _Label(msgspec.Struct, forbid_unknown_fields=True):
    zh: str
    en: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    enums: dict[str, list[str]]
    classes: dict[str, _Label]
    records: dict[str, _Group]
    groups: dict[str, _Group]
    bodies: dict[str, _Group]
    common: list[str]
    events: dict[str, _Event]


def family_topic(event_type: str) -> str:
    """The topic of a type's family: ``social_insurance.changed`` → ``event.social-insurance``."""
    return f"event.{event_type.partition('.')[0].replace('_', '-')}"


def ce_type(event_type: str) -> str:
    """CloudEvents type: ``health.hospitalized`` → ``gov.health.hospitalized.v1``."""
    return f"gov.{event_type}.v1"


def record_name(event_type: str) -> str:
    """Avro name: ``medical.expense_recorded`` → ``gov.medical.ExpenseRecorded``."""
    family, _, fact = event_type.partition(".")
    return f"gov.{family}.{''.join(part.capitalize() for part in fact.split('_'))}"


def load_vocabulary(path: Path) -> Vocabulary:
    """Read and check the vocabulary.

    Raises:
        ConfigurationError: names the file and the key that is wrong.
    """
    file = read(path, _File)
    for name, symbols in file.enums.items():
        if symbols[:1] != ["UNKNOWN"] or len(set(symbols)) != len(symbols):
            refuse(path, f"enums.{name}", "the first symbol is UNKNOWN and none stands twice")
    for name in file.bodies:
        if name in file.groups:
            refuse(path, f"bodies.{name}", "a group has the same name")
    parts: dict[str, dict[str, Group]] = {
        part: {
            name: _group(path, f"{part}.{name}", declared, file)
            for name, declared in getattr(file, part).items()
        }
        for part in ("records", "groups", "bodies")
    }
    return Vocabulary(
        enums={name: tuple(symbols) for name, symbols in file.enums.items()},
        events={name: _event(path, name, event, file) for name, event in file.events.items()},
        **parts,
    )


def _group(path: Path, key: str, declared: _Group, file: _File) -> Group:
    for name in (declared.klass, *(field.klass for field in declared.fields.values())):
        if name and name not in file.classes:
            refuse(path, f"{key}.class", f"the class {name} is not declared")
    fields = {}
    for name, field in declared.fields.items():
        place = f"{key}.fields.{name}"
        if not _NAME.fullmatch(name):
            refuse(path, place, "a field's name is lower-case letters and '_'")
        fields[name] = Field(
            name=name,
            type=_type(path, f"{place}.type", field.type, file),
            zh=field.zh,
            en=field.en,
            klass=field.klass or declared.klass,
            derived=field.derived,
            internal=field.internal,
        )
    return Group(
        name=key.partition(".")[2],
        zh=declared.zh,
        en=declared.en,
        owner=declared.owner,
        klass=declared.klass,
        fields=fields,
    )


def _type(path: Path, key: str, declared: str | dict[str, str], file: _File) -> str:
    if isinstance(declared, str):
        if declared not in PLAIN_TYPES:
            refuse(path, key, f"the type {declared} is none of {', '.join(PLAIN_TYPES)}")
        return declared
    tables: dict[str, dict[str, Any]] = {"list": dict(file.records), "enum": dict(file.enums)}
    kind, name = next(iter(declared.items()), ("", ""))
    if len(declared) != 1 or name not in tables.get(kind, {}):
        refuse(path, key, f"{declared} names no declared record or enum")
    return f"{kind}:{name}"


def _event(path: Path, name: str, declared: _Event, file: _File) -> EventType:
    key = f"events.{name}"
    if not _EVENT.fullmatch(name):
        refuse(path, key, "an event's name is family.fact in lower case")
    allowed = {*file.common, *declared.groups}
    for group in (*declared.groups, *declared.required):
        if group not in file.groups:
            refuse(path, key, f"the group {group} is not declared")
        if group not in allowed:
            refuse(path, key, f"the required group {group} is not among its groups")
    if not declared.publishers or not set(declared.carried) <= set(CARRIERS):
        refuse(path, key, f"publishers are named and carried is one of {', '.join(CARRIERS)}")
    return EventType(
        type=name,
        zh=declared.zh,
        en=declared.en,
        ce_type=ce_type(name),
        topic=family_topic(name) if "event" in declared.carried else "",
        record_name=record_name(name),
        publishers=tuple(declared.publishers),
        groups=tuple(group for group in file.groups if group in allowed),
        required=tuple(declared.required),
        carried=tuple(declared.carried),
    )
