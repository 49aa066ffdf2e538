"""Decisions: what a decider answers, with its reasons.

``decide(state, event, ctx) -> Decision`` is pure and total; the runtime applies ``changes`` to
the state of the batch at once and writes everything in the batch's one transaction.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contracts.events import CanonicalEvent, Groups


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Why: rule, its version, the facts used and the sentence for the screen (P7)."""

    rule: str
    """Rule id of the profile, e.g. ``RG-15``."""
    key: str
    """Key of the sentence in the catalogue."""
    version: str = ""
    facts: tuple[str, ...] = ()
    """event ids used."""
    values: dict[str, Any] = {}
    """Placeholders of the sentence; never a name or an ID number."""


class Deliver(msgspec.Struct, frozen=True, gc=False):
    """A copy for one program; masking and encoding come after (:mod:`hub.routing.copies`)."""

    program: str
    type: str
    """``referral.created``, ``referral.stop_notified``, ``roster.delta`` …, or the told event's."""
    cause: str
    """event_id of the causing event."""
    reason: Reason
    uid: bytes | None = None
    household: str | None = None
    groups: Groups = {}
    """Everything known that might be granted; the mask decides what leaves."""
    correlation: str = ""
    lifecycle: str = "created"
    replaces: str | None = None
    referral_id: str | None = None
    decision_id: str | None = None
    due_at: int | None = None
    occurred_at: int = 0
    jurisdiction: str = ""
    ordinal: str = ""
    """Tells several copies of one cause and program apart (subject ref, row key)."""
    body: dict[str, Any] = {}
    """Extra non-personal content: roster op, snapshot counts, disposition rows."""


class Emit(msgspec.Struct, frozen=True, gc=False):
    """A hub fact for an ``event.*`` topic (e.g. the grant after a decision)."""

    type: str
    uid: bytes | None
    household: str | None
    cause: str
    reason: Reason
    effective_from: int
    occurred_at: int
    groups: Groups
    correlation: str
    decision_id: str | None = None
    jurisdiction: str = ""


class Schedule(msgspec.Struct, frozen=True, gc=False):
    """A timer row: fires once at ``at`` (ms) as an event ``timer.<kind>``."""

    key: str
    at: int
    kind: str
    payload: dict[str, Any] = {}


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """Drop a timer."""

    key: str


class Deny(msgspec.Struct, frozen=True, gc=False):
    """A copy that did not leave, and why (``deny.directory`` …)."""

    program: str
    code: str
    type: str


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """The event cannot be decided; a reason the department can act on."""

    code: str
    field: str = ""
    detail: str = ""


class Resume(msgspec.Struct, frozen=True, gc=False):
    """An event that was parked can be decided now.

    The runtime loads ``keys(event)`` and runs the whole chain of deciders on it in the same
    transaction, after the deciders of the present event. ``seen`` holds it already.
    """

    event: CanonicalEvent


Effect = Deliver | Emit | Schedule | Cancel | Deny | DeadLetter | Resume


class Decision(msgspec.Struct, frozen=True, gc=False):
    """Changes of state (records to upsert), effects, and because of what."""

    changes: tuple[Any, ...] = ()
    effects: tuple[Effect, ...] = ()
    because: tuple[Reason, ...] = ()

    def __add__(self, other: Decision) -> Decision:
        """Both decisions, in order."""
        return Decision(
            self.changes + other.changes,
            self.effects + other.effects,
            self.because + other.because,
        )


NOTHING = Decision()
