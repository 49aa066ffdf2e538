"""Facts: what a department said, and what must come of it. The truth, written by hand."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

DECIDED = "decided"
FILTERED = "filtered"
DEAD_LETTER = "dead_letter"
DUPLICATE = "duplicate"

Disposition = Literal["decided", "filtered", "dead_letter", "duplicate"]


class Told(msgspec.Struct, frozen=True, order=True):
    """One copy that a receiver must get.

    Attributes:
        program: The receiver.
        type: Type of the copy, with ``-annulled`` behind it where it takes a copy back.
        subject: What the copy itself names: an ID number, a meter account.
    """

    program: str
    type: str
    subject: str


class Opens(msgspec.Struct, frozen=True, order=True):
    """One referral that must stand in the ledger.

    Attributes:
        program: The receiver.
        kind: ``person`` or ``meter``.
        subject: ID number or meter account.
        episode: Number of the fact that opens it.
    """

    program: str
    kind: str
    subject: str
    episode: int


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record of a department with its truth.

    Attributes:
        n: Number of the fact in its ledger, from 1.
        kind: What it is, e.g. ``grant``.
        way: ``rest``, ``queue``, ``view`` or ``file``.
        place: ``connector/item``.
        key: Key of the canonical event; empty where the record cannot be read at all.
        type: Type of the canonical event.
        lifecycle: ``created`` or ``annulled``.
        people: ID numbers it names.
        disposition: What must become of it.
        code: Of the dead letter, for ``dead_letter``.
        digest: SHA-256 of the body, where the department's bytes pass unchanged.
        told: Copies, all of them.
        opens: Referrals.
        on_roll: Person → whether the fact puts the person on roll or takes it off.
        stops: Programs and subjects of referrals that get a stop notice.
        chain: Facts of one chain must reach a receiver in the order of ``link``.
        link: Place in the chain, from 1.
        balance: People whom an opening balance puts on roll without telling anybody: each has a
            served right to medical aid and a row of the roster.
    """

    n: int
    kind: str
    way: str
    place: str
    key: str = ""
    type: str = ""
    lifecycle: str = "created"
    people: tuple[str, ...] = ()
    disposition: Disposition = DECIDED
    code: str = ""
    digest: str = ""
    told: tuple[Told, ...] = ()
    opens: tuple[Opens, ...] = ()
    on_roll: dict[str, bool] = {}
    stops: tuple[tuple[str, str], ...] = ()
    chain: str = ""
    link: int = 0
    balance: int = 0

    @property
    def source(self) -> str:
        """Connector id."""
        return self.place.partition("/")[0]


class Move(msgspec.Struct, frozen=True):
    """A fact and what is sent for it: an object, or bytes that are none."""

    fact: Fact
    record: dict[str, Any] | bytes
