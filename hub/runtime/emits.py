"""Emits: the hub's own facts as records for an ``event.*`` topic, sent like copies are."""

from __future__ import annotations

from hub.contracts.catalogues import catalogue
from hub.contracts.cloudevents import event_headers
from hub.contracts.codecs import encode_event
from hub.contracts.digests import content_digest
from hub.contracts.events import CanonicalEvent
from hub.kernel.event_ids import hub_event_id
from hub.model.decisions import Emit
from hub.model.outbox import OutboxRow, pack

SOURCE = "hub"


def emit_row(effect: Emit, ordinal: int, cause: CanonicalEvent, now: int) -> OutboxRow:
    """The outbox row of a hub fact; its subscription is its topic.

    Args:
        effect: What the decider wants told.
        ordinal: Its number among the facts of that rule and cause, from 0.
        cause: The event being decided.
        now: ms since 1970.
    """
    event_id = hub_event_id(effect.cause, effect.reason.rule, ordinal)
    event = CanonicalEvent(
        event_id=event_id,
        type=effect.type,
        source=SOURCE,
        source_record_key=event_id,
        uid=effect.uid,
        household=effect.household,
        jurisdiction=effect.jurisdiction or cause.jurisdiction,
        occurred_at=effect.occurred_at,
        effective_from=effect.effective_from,
        recorded=now,
        correlation_id=effect.correlation or cause.correlation_id,
        causation_id=effect.cause,
        decision_id=effect.decision_id,
        digest=content_digest(effect.groups),
        groups=effect.groups,
    )
    topic = catalogue().event(effect.type).topic
    return OutboxRow(
        subscription=topic,
        topic=topic,
        copy_id=event_id,
        key=effect.uid or (effect.household or event_id).encode(),
        headers=pack(event_headers(event)),
        body=encode_event(event),
        person_key=None,
        event_id=effect.cause,
        type=effect.type,
        created=now,
        occurred=effect.occurred_at,
    )
