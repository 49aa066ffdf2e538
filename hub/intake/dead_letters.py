"""Dead letters of intake: the bytes as read with the reason in headers, and the hub's own fact.

A record that cannot be used costs nobody else anything: it goes to ``dlq.hub.<topic>``, and
``record.dead_lettered`` tells the rest of the hub, so that it stands in one list with all others.
Both are pure functions of the record: the same record sent again gives the same ids.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from hub.contracts.cloudevents import event_headers
from hub.contracts.codecs import event_encoder
from hub.contracts.digests import content_digest
from hub.contracts.events import CanonicalEvent
from hub.contracts.replay_marks import CONNECT, OURS, ReplayKey, ReplayMark, without_errors
from hub.intake.decoding import DELETED
from hub.kernel.clocks import from_epoch_ms, rfc3339
from hub.kernel.errors import DataError
from hub.kernel.event_ids import EventIds
from hub.kernel.person_keys import RouteKey
from hub.kernel.reasons import CODES
from hub.sdk.instants import day_of
from hub.sdk.manifests import Item

Headers = Sequence[tuple[str, bytes]]
Produced = tuple[str, bytes | None, bytes, Headers]
"""Topic without prefix, key, value, headers."""

EVENT = "record.dead_lettered"
GROUP = "hub.intake"
MESSAGE_LIMIT = 4096
"""Characters of a message, at most."""

_VALUE_CODES = frozenset(("E-JSON", "E-ENCODING", "E-TOO-LARGE"))
_NUMBERS = re.compile(r"[0-9]{6,}[0-9Xx]?")
_IDENTITY = re.compile(r"[0-9]{17}[0-9Xx]|[0-9]{15}")


class Record(Protocol):
    """A record as the Kafka client gives it; ``topic`` and ``headers`` as on the wire."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


def scrub(text: str) -> str:
    """A text without long numbers (ID, phone, account), cut to :data:`MESSAGE_LIMIT`."""
    return _NUMBERS.sub("***", text)[:MESSAGE_LIMIT]


class DeadLetters:
    """Makes the dead letters of one item.

    Args:
        item: The item whose records they are.
        route: ``K_route``, for keys.
        app_version: Version of the hub.
        replays: Tells records that the hub sends again; None: no record is trusted to be one.
    """

    def __init__(
        self, item: Item, route: RouteKey, app_version: str, replays: ReplayKey | None = None
    ) -> None:
        self._item = item
        self._connector = item.connector
        self._source = item.source
        self._route = route
        self._version = app_version
        self._ids = EventIds(item.source)
        self._encode = event_encoder(EVENT)
        self._replays = replays

    def of(self, record: Record, error: DataError, recorded: int) -> tuple[Produced, Produced]:
        """The dead letter and the hub's fact about it.

        Args:
            record: The raw record.
            error: Why it cannot be used.
            recorded: ms since 1970, when the connector made the record.
        """
        mark = self._mark(record)
        event = self.event(record, error, recorded, mark)
        headers = self.headers(record, error, event.groups["failure"]["dead_letter"], mark)
        value = record.value or b""
        letter = (f"dlq.hub.{self._item.topic}", _kept(record.key), value, headers)
        key = self._route.fallback(self._source, event.source_record_key)
        fact = ("event.record", key, self._encode(event), event_headers(event))
        return letter, fact

    def _mark(self, record: Record) -> ReplayMark | None:
        if self._replays is None or not record.headers:
            return None
        return self._replays.read(record.headers, record.topic, record.value)

    def event(
        self, record: Record, error: DataError, recorded: int, mark: ReplayMark | None = None
    ) -> CanonicalEvent:
        """``record.dead_lettered``: source, code, public reason, and the row of a list.

        The place in the topic is left out of its identity and digest, so a file read twice is
        one dead letter. A redriven record that fails again is told again, as the same dead letter.
        """
        row = _row(record.value)
        content = blake2b(record.value or b"", digest_size=8).hexdigest()
        record_key = self._record_key(row) or f"digest:{content}"
        version = f"{error.code}/{content}"
        if mark is not None:
            version += f"/{mark.of}/{mark.count}"
        event_id = self._ids.of(record_key, EVENT, version)
        failure: dict[str, Any] = {
            "reason": CODES[error.code].public,
            "code": error.code,
            "field": scrub(error.field) or None,
            "detail": scrub(error.detail) or None,
            "dead_letter": event_id if mark is None else mark.of,
            "topic": self._item.topic,
            "partition": record.partition,
            "offset": record.offset,
            "record_ref": record_key,
            "event_type": self._item.events[0] if len(self._item.events) == 1 else None,
        }
        groups = {"failure": failure}
        listed = self._listed(row)
        if listed:
            groups["list"] = listed
        return CanonicalEvent(
            event_id=event_id,
            type=EVENT,
            source=self._connector,
            source_record_key=record_key,
            source_version=version,
            jurisdiction=self._item.division,
            occurred_at=recorded,
            effective_from=day_of(recorded),
            recorded=recorded,
            correlation_id=event_id,
            catalog_id=self._item.catalog_id,
            digest=content_digest(error.code, record_key, listed),
            groups=groups,
        )

    def headers(
        self, record: Record, error: DataError, identifier: str, mark: ReplayMark | None = None
    ) -> list[tuple[str, bytes]]:
        """Headers of the dead letter: the record's own, Kafka Connect's names, and the hub's.

        Connect's tell the first failure. What the record itself brings under these names is
        dropped: only a mark proves that it failed before.
        """
        at = rfc3339(from_epoch_ms(record.timestamp))
        value_failed = error.code in _VALUE_CODES
        connect = {
            "topic": record.topic if mark is None else mark.first_topic,
            "partition": record.partition if mark is None else mark.first_partition,
            "offset": record.offset if mark is None else mark.first_offset,
            "connector.name": f"{GROUP}/{self._connector}",
            "task.id": f"{self._item.id}/{record.partition}",
            "stage": "VALUE_CONVERTER" if value_failed else "TRANSFORMATION",
            "class.name": f"{self._connector}.{self._item.mapping}",
            "exception.class.name": "hub.kernel.errors.DataError",
            "exception.message": scrub(str(error)) if mark is None else mark.first_message,
            "exception.stacktrace": "",
        }
        ours = {
            "id": identifier,
            "code": error.code,
            "category": CODES[error.code].category.value,
            "group": GROUP,
            "attempts": 1 if mark is None else mark.count + 1,
            # The record's receipt, so that a second run writes the same bytes.
            "first-failed-at": at if mark is None else mark.first_failed_at,
            "failed-at": at,
            "original-timestamp": record.timestamp,
            "app-version": self._version,
            "replay-count": 0 if mark is None else mark.count,
        }
        if mark is not None:
            ours |= {"first-code": mark.first_code, "replay-of": mark.of, "replay-by": mark.by}
        return [
            *without_errors(record.headers),
            *((CONNECT + name, str(text).encode()) for name, text in connect.items()),
            *((OURS + name, str(text).encode()) for name, text in ours.items()),
        ]

    def _record_key(self, row: dict[str, Any]) -> str:
        parts = [text_at(row, name) for name in self._item.key]
        # As mappings write it, so that the corrected record settles this one.
        key = "/".join(parts) if all(parts) else ""
        return "" if _IDENTITY.search(key) or not _encodable(key) else key

    def _listed(self, row: dict[str, Any]) -> dict[str, Any] | None:
        columns = self._item.listing
        if columns is None:
            return None
        ref = text_at(row, columns.ref)
        numbers = [_number(text_at(row, name)) for name in (columns.row, columns.total)]
        if not ref or numbers[0] is None or _IDENTITY.search(ref) or not _encodable(ref):
            return None
        return {"list_ref": ref, "row_no": numbers[0], "rows_total": numbers[1]}


def text_at(row: dict[str, Any], path: str) -> str:
    """A field as text; a dot leads into an object; empty where there is none."""
    found: Any = row.get(path)
    if found is None and "." in path:
        found = row
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
    return str(found).strip() if isinstance(found, str | int) else ""


def _row(value: bytes | None) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(value or b"")
    except (msgspec.DecodeError, RecursionError, ValueError):
        return {}
    return found if isinstance(found, dict) and DELETED not in found else {}


def _number(text: str) -> int | None:
    digits = text.removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kept(key: bytes | None) -> bytes | None:
    """The record key, unless it carries an ID number."""
    return None if key and _IDENTITY.search(key.decode("latin-1")) else key
