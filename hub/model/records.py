"""Records: one structure per table row that deciders read or write.

The store derives its statements from these declarations: ``TABLE``, ``KEY`` and the annotated
fields are the column list. Days are days since 1970-01-01, instants are ms since 1970.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec


class Fact(msgspec.Struct, array_like=True, gc=False):
    """One canonical event reduced to what folding needs; lives inside a person or household.

    Facts fold by (effective, rank, seq, id), never by arrival. An annulled or corrected fact
    stays with ``void_by`` naming the event that voided it; a void that came before its
    original waits as a fact with type ``void``.
    """

    id: str
    type: str
    effective: int
    occurred: int
    rank: int
    seq: str
    source: str
    correlation: str
    decision: str | None
    lifecycle: str
    void_by: str | None
    data: dict[str, dict[str, Any]]


class Person(msgspec.Struct, gc=False):
    """A person and every fact the hub holds about them."""

    TABLE: ClassVar[str] = "person"
    KEY: ClassVar[tuple[str, ...]] = ("uid",)

    uid: bytes
    households: list[str] = []
    facts: list[Fact] = []
    identity: dict[str, Any] = {}
    """Latest known field groups ``id``, ``contact``, ``area`` as {group: {field: value}}."""


class Household(msgspec.Struct, gc=False):
    """A household (id issued by civil affairs) and its facts: members, spells, meters, houses."""

    TABLE: ClassVar[str] = "household"
    KEY: ClassVar[tuple[str, ...]] = ("id",)

    id: str
    facts: list[Fact] = []
    uids: list[bytes] = []
    """Everybody who ever was a member: whom the loader fetches with the household."""


class Referral(msgspec.Struct, gc=False):
    """The ledger: one row per (program, subject kind, subject ref, episode), rule P2."""

    TABLE: ClassVar[str] = "referral"
    KEY: ClassVar[tuple[str, ...]] = ("id",)

    id: str
    program: str
    subject_kind: str
    """``person``, ``pupil``, ``meter`` or ``house``."""
    subject_ref: str
    """Hex uid for person and pupil; meter account; house reference."""
    episode: str
    """event_id of the fact that opened the spell."""
    uid: bytes | None
    household: str | None
    state: str
    """``created``, ``accepted``, ``rejected``, ``completed``, ``closed`` or ``served``."""
    correlation: str
    rule: str
    opened_at: int
    due_at: int | None = None
    closed_reason: str | None = None
    stop_decision: str | None = None
    stop_state: str | None = None
    """None, ``notified`` or ``answered``."""
    spell_from: int = 0
    spell_to: int | None = None
    history: list[list[Any]] = []
    """[ms, state, actor, note] per step."""


class Interest(msgspec.Struct, gc=False):
    """The person directory: a program's role for a person over a period."""

    TABLE: ClassVar[str] = "interest"
    KEY: ClassVar[tuple[str, ...]] = ("uid", "program", "valid_from")

    uid: bytes
    program: str
    valid_from: int
    household: str | None = None
    valid_to: int | None = None
    quality: str = "provisional"
    """``provisional``, ``definitive`` or ``historical``."""
    referral: str | None = None


class Case(msgspec.Struct, gc=False):
    """A case opened by the hub for people to decide."""

    TABLE: ClassVar[str] = "case_file"
    KEY: ClassVar[tuple[str, ...]] = ("id",)

    id: str
    kind: str
    uid: bytes | None
    household: str | None
    state: str
    opened_by: str
    correlation: str
    opened_at: int
    closed_at: int | None = None
    outcome: str | None = None
    decision_id: str | None = None


class Task(msgspec.Struct, gc=False):
    """Work for a human, open until a human closes it."""

    TABLE: ClassVar[str] = "task"
    KEY: ClassVar[tuple[str, ...]] = ("id",)

    id: str
    kind: str
    uid: bytes | None
    household: str | None
    state: str
    opened_by: str
    correlation: str
    opened_at: int
    owner_level: str = "county"
    due_at: int | None = None
    closed_at: int | None = None


class ListRow(msgspec.Struct, gc=False):
    """One row of a relapse or backstop list and what became of it."""

    TABLE: ClassVar[str] = "list_row"
    KEY: ClassVar[tuple[str, ...]] = ("source", "list_ref", "row_no")

    source: str
    list_ref: str
    row_no: int
    rows_total: int
    event_id: str
    uid: bytes | None
    type: str
    disposition: str
    detail: str | None = None
    answered: bool = False
    case_id: str | None = None


class RosterRow(msgspec.Struct, gc=False):
    """The row a roster recipient has: granted fields only."""

    TABLE: ClassVar[str] = "roster_row"
    KEY: ClassVar[tuple[str, ...]] = ("recipient", "row_key")

    recipient: str
    row_key: str
    uid: bytes | None
    household: str | None
    fields: dict[str, Any]
    present: bool = True
    digest: str = ""


class Decided(msgspec.Struct, gc=False):
    """A ``decision.recorded`` of a named person, or a fact parked until it arrives."""

    TABLE: ClassVar[str] = "decision"
    KEY: ClassVar[tuple[str, ...]] = ("id",)

    id: str
    """decision_id."""
    state: str
    """``recorded``, ``awaited`` or ``overdue``."""
    power: str | None = None
    person: str | None = None
    unit: str | None = None
    kind: str | None = None
    outcome: str | None = None
    event_id: str | None = None
    uid: bytes | None = None
    household: str | None = None
    parked: list[Any] = []
    """Facts that wait for this decision, encoded."""
    at: int = 0


class Told(msgspec.Struct, gc=False):
    """Who got copies of an event, so that a correction or annulment reaches the same receivers."""

    TABLE: ClassVar[str] = "told"
    KEY: ClassVar[tuple[str, ...]] = ("id",)

    id: str
    """event_id of the event they were told."""
    at: int
    copies: list[list[str]] = []
    """[program, ordinal] per copy."""
    void_by: str | None = None
    """The correction or annulment that replaced it, also where that came first."""


RECORDS = (Person, Household, Referral, Interest, Case, Task, ListRow, RosterRow, Decided, Told)
"""Every record type, in lock order."""
