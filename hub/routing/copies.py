"""Copies: what leaves the hub for one receiver, made once, byte for byte the same again.

The id is a keyed hash of subscription and cause, so a second run gives the same copy. Nothing
on a copy can be joined with another receiver's: person, household, matter and cause are
pairwise pseudonyms, and no trace of the originating act goes along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.contracts.catalogues import Catalogue
from hub.contracts.codecs import CopyEncoder
from hub.kernel.event_ids import CopyIds, three_joined
from hub.model.contexts import Context
from hub.model.decisions import Deliver, Deny, Reason
from hub.model.outbox import OutboxRow
from hub.routing.bodies import body_of, columns_only, row_fields, row_key_of
from hub.routing.derived import county, today
from hub.routing.gates import FIELD, NO_AGREEMENT
from hub.routing.headers import HeaderPlan
from hub.routing.masks import RELEASES
from hub.routing.neutral import sentence as neutral_sentence
from hub.routing.pseudonyms import Pseudonyms
from hub.routing.receivers import Receiver, Receivers

Sentence = Callable[[Reason], tuple[str, str]]
"""Reason → Chinese and English sentence, for receivers that may read it."""


class Copies:
    """Makes copies.

    Args:
        receivers: Every receiver with its mask and gate.
        catalogue: Event types and schema ids.
        k_program: The master of program keys.
        k_copy: The key of copies' ids.
        division: Of the hub, for ``ce_source``.
        sentence: Writes the reason.
    """

    def __init__(
        self,
        receivers: Receivers,
        catalogue: Catalogue,
        *,
        k_program: bytes,
        k_copy: bytes,
        division: str,
        sentence: Sentence,
    ) -> None:
        self._receivers = receivers
        self._ids = CopyIds(k_copy)
        self._names = {name: Pseudonyms(k_program, name) for name in receivers}
        self._told = {name for name, event in catalogue.events.items() if "event" in event.carried}
        self._plans = {name: HeaderPlan(name, division) for name in receivers}
        self._agreed = {name: _agreed(receiver) for name, receiver in receivers.items()}
        self._encoders = {name: CopyEncoder(name, same) for name, same in self._agreed.items()}
        self._division = division
        self._sentence = sentence

    def make(self, deliver: Deliver, ctx: Context) -> tuple[OutboxRow | Deny, ...]:
        """The outbox rows of one effect.

        Args:
            deliver: Raw groups and the reason.
            ctx: Instant and profile.

        Returns:
            The row; or the denial to record; or nothing where a release releases nothing,
            because the receiver is granted no field under that condition.
        """
        receiver = self._receivers.get(deliver.program)
        if receiver is None:
            return (Deny(deliver.program, NO_AGREEMENT, deliver.type),)
        code = self._denied(receiver, deliver, ctx)
        if code is not None:
            return (Deny(deliver.program, code, deliver.type),)
        met = receiver.mask.conditions(deliver.type, deliver.groups, ())
        if RELEASES.get(deliver.type, "") not in {"", *met}:
            return ()
        return (self._row(receiver, deliver, ctx, met),)

    def _row(
        self, receiver: Receiver, deliver: Deliver, ctx: Context, met: frozenset[str]
    ) -> OutboxRow:
        names = self._names[deliver.program]
        day = today(ctx.now_ms)
        left = receiver.mask.apply(deliver.groups, met, names, day)
        if "roster" in deliver.body:
            left = columns_only(left, deliver.program, ctx.profile)
        person = names.person(deliver.uid) if deliver.uid is not None else None
        copy: dict[str, Any] = {
            "envelope": self._envelope(receiver, deliver, ctx, met),
            "person_ref": person,
            "household_ref": names.household(deliver.household) if deliver.household else None,
            **left.groups,
        }
        if deliver.body:
            copy |= body_of(deliver.body, receiver.mask, met, names, day)
        key = person.encode() if person else b""
        return OutboxRow(
            subscription=deliver.program,
            topic=receiver.subscription.inbox,
            copy_id=copy["envelope"]["copy_id"],
            key=key,
            headers=self._plans[deliver.program].packed(copy, ctx.now_ms),
            body=self._encoders[deliver.program].encode(copy),
            person_key=key or None,
            event_id=deliver.cause,
            type=deliver.type,
            created=ctx.now_ms,
            referral_id=deliver.referral_id,
            fields=[*left.fields, *row_fields(copy)] if copy.get("rows") else left.fields,
            occurred=deliver.occurred_at,
        )

    def row_ref(self, recipient: str, row_key: str) -> str:
        """A row key as that recipient is told it: a person's becomes the pseudonym."""
        names = self._names.get(recipient)
        return row_key if names is None else row_key_of(row_key, names)

    def copy_id(self, program: str, copy_type: str, cause: str, ordinal: str) -> str:
        """Id of the copy of one event; told copies of one event share it, whatever their type."""
        kind = "" if copy_type in self._told else copy_type
        return self._ids.of(program, three_joined(cause, kind, ordinal))

    def _denied(self, receiver: Receiver, deliver: Deliver, ctx: Context) -> str | None:
        area = deliver.jurisdiction or self._division
        day = today(ctx.now_ms)
        # The sender of a told event was judged when it was told; everything else the hub sends.
        sender = None if deliver.type in self._told else "hub"
        code = receiver.gate.agreement(deliver.type, area, sender, day)
        if code is None and not receiver.bodies.issuperset(deliver.body):
            return FIELD
        return code

    def _envelope(
        self, receiver: Receiver, deliver: Deliver, ctx: Context, met: frozenset[str]
    ) -> dict[str, Any]:
        program = deliver.program
        names = self._names[program]
        if receiver.hidden:
            reason = ("", "")
            if receiver.neutral:
                reason = neutral_sentence(deliver.type)
            rule, occurred = f"programs.{program}", ctx.now_ms
        else:
            reason = self._sentence(deliver.reason)
            rule, occurred = deliver.reason.rule, deliver.occurred_at
        replaces = deliver.replaces
        return {
            "copy_id": self.copy_id(program, deliver.type, deliver.cause, deliver.ordinal),
            "type": deliver.type,
            "occurred_at": occurred,
            "lifecycle": deliver.lifecycle,
            "replaces": self.copy_id(program, deliver.type, replaces, deliver.ordinal)
            if replaces
            else None,
            "correlation_id": names.matter(deliver.correlation or deliver.cause),
            "causation_id": names.cause(deliver.cause),
            "jurisdiction": county(deliver.jurisdiction) or self._division,
            "rule_id": rule,
            "rule_version": deliver.reason.version,
            "reason_zh": reason[0],
            "reason_en": reason[1],
            "masked": receiver.mask.held_back(deliver.type, met),
            "referral_id": deliver.referral_id,
            "due_at": deliver.due_at,
            "decision_id": deliver.decision_id,
            "profile_version": ctx.profile.version,
            **self._agreed[program],
        }


def _agreed(receiver: Receiver) -> dict[str, str]:
    """Attributes that all copies for a receiver have in common."""
    subscription = receiver.subscription
    return {
        "subscription": subscription.id,
        "mask_version": receiver.mask.version,
        "legal_basis": subscription.agreement.legal_basis,
        "purpose": subscription.agreement.purpose,
        "catalog_id": subscription.agreement.catalog_id,
    }
