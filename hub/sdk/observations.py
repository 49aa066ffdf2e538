"""Observations: what a mapping says about one raw record, before the hub's checks."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

Groups = dict[str, dict[str, Any]]


class Original(NamedTuple):
    """The record that an observation corrects, annuls or ends.

    Its event id follows by the same rule as any event id. All corrections of one record name
    its first version, so that order and gaps between them do not matter.
    """

    record_key: str
    type: str
    version: str


class Member(msgspec.Struct, kw_only=True, gc=False):
    """A member of a household; intake turns the ID number into the person's uid.

    ``valid_from`` is the first day and ``valid_to`` the first day no more, in days since
    1970-01-01.
    """

    id_number: str
    name: str | None = None
    relation: str | None = None
    valid_from: int | None = None
    valid_to: int | None = None


class Observation(msgspec.Struct, kw_only=True, gc=False):
    """One fact in the department's words, sorted into the hub's field groups.

    Attributes:
        type: Event type, one of those the item's manifest lists.
        record_key: Key of the record at the source; never an ID number.
        occurred: When it happened, ms since 1970 (a date: its midnight, Asia/Shanghai).
        version: Version at the source; empty: ``occurred`` tells versions apart.
        id_number: As the source wrote it; None where the record names no person.
        name: Name of that person.
        effective: Days since 1970-01-01; None: the day of ``occurred``.
        observed: When the source noticed, ms since 1970.
        lifecycle: ``created``, ``corrected``, ``annulled`` or ``ceased``.
        replaces: The original, unless created.
        household: Household id issued by civil affairs.
        jurisdiction: Division code; empty: the department's.
        decision_id: Decision of a named person.
        authorization_ref: Signed authorisation.
        evidence_ref: Hash of evidence.
        correlation: Key of the matter at the source (a stay, a case); empty: its own matter.
        groups: Field groups, dates as days, money as fen. Without ``id`` and members.
        members: Members of the household, for group ``household``.
    """

    type: str
    record_key: str
    occurred: int
    version: str = ""
    id_number: str | None = None
    name: str | None = None
    effective: int | None = None
    observed: int | None = None
    lifecycle: str = "created"
    replaces: Original | None = None
    household: str | None = None
    jurisdiction: str = ""
    decision_id: str | None = None
    authorization_ref: str | None = None
    evidence_ref: str | None = None
    correlation: str = ""
    groups: Groups = {}
    members: tuple[Member, ...] = ()
