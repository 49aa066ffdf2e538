"""Items: one record of a poll on its way through a decide transaction."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contracts.codecs import schema_id_of
from hub.contracts.events import CanonicalEvent
from hub.contracts.replay_marks import ReplayKey
from hub.kernel.errors import DataError
from hub.kernel.reasons import CODES
from hub.model.outbox import pack
from hub.store.claims import Place
from hub.store.dead_letters import DeadLetterRow, id_of

TIMER_TOPIC = "timer"
"""Stands for the topic of events that timers raise."""


class Item(msgspec.Struct):
    """A record and the event in it.

    Attributes:
        topic: Topic with prefix, or :data:`TIMER_TOPIC`.
        part: Partition.
        off: Offset.
        record: The consumer's record; None for a timer.
        event: None while undecoded or where decoding failed.
        failure: Why it cannot be decided.
        spoiled: The same for parked events that this one lets go on, by event id.
    """

    topic: str
    part: int
    off: int
    record: Any = None
    event: CanonicalEvent | None = None
    failure: DataError | None = None
    spoiled: dict[str, DataError] = {}

    @property
    def place(self) -> Place:
        """Topic and partition."""
        return self.topic, self.part


class CrashedError(Exception):
    """Codec or decider raised what they never should; the item is the suspect."""

    def __init__(self, item: Item) -> None:
        super().__init__(item.topic, item.part, item.off)
        self.item = item


class DoomedError(Exception):
    """An event failed after it had changed the batch's state: run the batch again without it."""

    def __init__(self, item: Item, event: CanonicalEvent, failure: DataError) -> None:
        super().__init__(failure.code)
        self._item = item
        self._event = event
        self._failure = failure

    def mark(self) -> None:
        """Let the next run make it a dead letter."""
        if self._event is self._item.event:
            self._item.failure = self._failure
        else:
            self._item.spoiled[self._event.event_id] = self._failure


def dead_letter(
    item: Item, failure: DataError, now: int, replays: ReplayKey | None = None
) -> DeadLetterRow:
    """The dead letter of an item that Decide cannot use; a redriven record keeps the one it had."""
    event, record = item.event, item.record
    known = CODES.get(failure.code)
    return DeadLetterRow(
        id=_replayed(item, replays) or id_of(item.topic, item.part, _stable(item, event)),
        stage="decide",
        topic=item.topic,
        part=item.part,
        off=item.off,
        source=event.source.replace("\0", "") if event else "",
        # PostgreSQL keeps no NUL in text; what is refused for it must still be put on record.
        record_key=event.source_record_key.replace("\0", "") if event else "",
        event_id=event.event_id if event else None,
        type=event.type if event else "",
        correlation=event.correlation_id.replace("\0", "") if event else "",
        code=failure.code,
        category=str(known.category) if known else "schema",
        field=failure.field,
        detail=failure.detail,
        key=record.key if record else None,
        value=record.value if record else None,
        headers=pack([(name, value or b"") for name, value in record.headers]) if record else None,
        attempts=1,
        failed_at=now,
        recorded_at=event.recorded or None if event else None,
        schema_id=_schema_id(record),
    )


def _schema_id(record: Any) -> int | None:
    try:
        return schema_id_of(record.value) if record else None
    except DataError:
        return None


def _stable(item: Item, event: CanonicalEvent | None) -> int:
    """Timers have no offset of their own: their event id tells them apart."""
    return int(event.event_id[:8], 16) if event and item.topic == TIMER_TOPIC else item.off


def _replayed(item: Item, replays: ReplayKey | None) -> str | None:
    record = item.record
    if replays is None or record is None or not record.headers:
        return None
    mark = replays.read(record.headers, item.topic, record.value)
    return mark.of if mark else None


def told_by_intake(item: Item, event: CanonicalEvent, now: int) -> DeadLetterRow:
    """The dead letter that a ``record.dead_lettered`` tells of.

    Its value lies in the ``dlq.*`` topic; one list shows both kinds.
    """
    failure = event.groups.get("failure") or {}
    known = CODES.get(str(failure.get("code") or ""))
    name = str(failure.get("dead_letter") or event.event_id)
    return DeadLetterRow(
        id=name,
        stage="intake",
        topic=str(failure.get("topic") or ""),
        part=int(failure.get("partition") or 0),
        off=int(failure.get("offset") or 0),
        source=event.source,
        record_key=str(failure.get("record_ref") or event.source_record_key),
        event_id=event.event_id,
        type=str(failure.get("event_type") or ""),
        correlation=event.correlation_id,
        code=str(failure.get("code") or "E-SCHEMA-BODY"),
        category=str(known.category) if known else "schema",
        field=str(failure.get("field") or ""),
        detail=str(failure.get("detail") or ""),
        key=None,
        value=None,
        headers=None,
        attempts=1,
        # A redriven record was recorded long ago, but fails again now.
        failed_at=now if name != event.event_id else event.recorded or event.occurred_at,
        recorded_at=event.recorded or None,
        told_at=item.record.timestamp if item.record else None,
    )
