"""Raw records of ``in.*``: the department's own row, a routing key and CloudEvents headers.

The value is never touched, so whatever a department sent can be judged by intake, and the same
row gets the same ``ce_id`` however often and under whatever file name it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from hub.kernel.clocks import Clock, epoch_ms, rfc3339
from hub.kernel.errors import DataError
from hub.kernel.event_ids import EventIds, joined
from hub.kernel.person_keys import RouteKey
from hub.kernel.reasons import CODES
from hub.kernel.resident_ids import from_fifteen, normalise
from hub.sdk.manifests import CONTENT_HASH, Item

DELETED = "__deleted"
"""Field that marks a row which vanished from its view; the rest of the row is its key."""

Row = Mapping[str, Any]
Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """What turns rows of one manifest item into raw records.

    Attributes:
        connector: Connector id, e.g. ``medical-insurance``.
        source: ``ce_source``, ``/gov/<division>/<connector>``.
        item: Item id of the manifest.
        topic: ``in.<dept>.<item>``.
        keys: Fields that together are the record's key at the source; never an ID number.
        version: Field that counts versions of one record; empty: the content's hash.
        person: Field with the ID number; empty where the record names no person.
        maximum: Bytes of the largest body that may enter Kafka.

    A dot in a field's name leads into an object of the body.
    """

    connector: str
    source: str
    item: str
    topic: str
    keys: tuple[str, ...]
    version: str = ""
    person: str = ""
    maximum: int = 1_000_000

    @classmethod
    def of(cls, item: Item, maximum: int) -> Feed:
        """The feed of a manifest's item."""
        return cls(
            connector=item.connector,
            source=item.source,
            item=item.id,
            topic=item.topic,
            keys=tuple(item.key),
            version="" if item.version == CONTENT_HASH else item.version,
            person=item.person,
            maximum=maximum,
        )

    @property
    def dead_letters(self) -> str:
        """Topic of records refused at the edge."""
        return f"dlq.hub.{self.topic}"


class Refusal(NamedTuple):
    """Why something never enters Kafka; tells no content.

    Attributes:
        code: Of :data:`hub.kernel.reasons.CODES`.
        digest: SHA-256, hexadecimal.
        size: Bytes.
        detail: Short text without personal data.
    """

    code: str
    digest: str
    size: int
    detail: str = ""


class RawRecord(NamedTuple):
    """One Kafka record.

    Attributes:
        topic: Where it goes.
        key: 16 bytes of routing MAC.
        value: The body, as the department gave it.
        headers: CloudEvents attributes.
        event_id: The same text as ``ce_id``.
        digest: SHA-256 of the body given, hexadecimal; tells changes under an old version.
        refused: Code of the dead letter that this record is; empty for a good one.
    """

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    event_id: str
    digest: str
    refused: str = ""


class RecordMaker:
    """Makes the raw records of one feed.

    Args:
        feed: Names of topic and fields.
        route: The connector's ``K_route``.
        clock: Tells ``ce_recordedtime``.
    """

    def __init__(self, feed: Feed, route: RouteKey, clock: Clock) -> None:
        self.feed = feed
        self._route = route
        self._clock = clock
        self._ids = EventIds(feed.source)
        self._constant: Headers = (
            ("ce_specversion", b"1.0"),
            ("ce_source", feed.source.encode()),
            ("ce_type", feed.topic.encode()),
            ("content-type", b"application/json"),
        )

    def of_row(self, row: Row, extra: Headers = ()) -> RawRecord:
        """The record of a row read from a table or file.

        Fields are written in the order of their names: two exports of one row are one body.
        """
        return self._made(orjson.dumps(row, option=orjson.OPT_SORT_KEYS), row, extra)

    def of_body(self, body: bytes, extra: Headers = ()) -> RawRecord:
        """The record of a body that a department wrote, unchanged even where it is no JSON."""
        return self._made(body, _fields(body), extra)

    def of_deleted(self, row: Row, key: bytes, last: str) -> RawRecord:
        """The record that tells that a row is gone.

        Args:
            row: Key fields of the row.
            key: Routing key of the row's last record, so that both stay in order.
            last: Tells the content that vanished; a row may come back and vanish again.
        """
        body = orjson.dumps({**row, DELETED: True}, option=orjson.OPT_SORT_KEYS)
        return self._made(body, row, (), f"deleted:{last}")._replace(key=key)

    def _made(self, body: bytes, row: Row, extra: Headers, version: str = "") -> RawRecord:
        record_key = key_text(row, self.feed.keys)
        digest = sha256(body).hexdigest()
        if self.feed.version and not version:
            version = text_at(row, self.feed.version)
        event_id = self._ids.of(record_key or digest, self.feed.item, version or digest)
        key = self._routed(row, record_key or digest)
        headers = (
            *self._constant,
            ("ce_id", event_id.encode()),
            self._recorded(),
            *extra,
        )
        if len(body) > self.feed.maximum:
            whole = Refusal("E-TOO-LARGE", digest, len(body))
            return self._dead_letter(whole, event_id, key, headers)
        return RawRecord(self.feed.topic, key, body, headers, event_id, digest)

    def of_refused(self, refusal: Refusal) -> RawRecord:
        """The dead letter of something that cannot be read as records at all, e.g. a file."""
        event_id = self._ids.of(refusal.digest, self.feed.item, refusal.digest)
        key = self._route.fallback(self.feed.source, refusal.digest)
        headers = (*self._constant, ("ce_id", event_id.encode()), self._recorded())
        return self._dead_letter(refusal, event_id, key, headers)

    def _recorded(self) -> tuple[str, bytes]:
        return ("ce_recordedtime", rfc3339(self._clock.now()).encode())

    def _routed(self, row: Row, record_key: str) -> bytes:
        number = normalise(text_at(row, self.feed.person)) if self.feed.person else ""
        if len(number) == 15:
            # The old and the new number of a person should share a partition.
            try:
                number = from_fifteen(number)
            except DataError:
                number = ""
        if len(number) == 18:
            return self._route.route(number)
        return self._route.fallback(self.feed.source, record_key)

    def _dead_letter(
        self, refusal: Refusal, event_id: str, key: bytes, headers: Headers
    ) -> RawRecord:
        reason = CODES[refusal.code]
        body = orjson.dumps(
            {
                "code": refusal.code,
                "category": reason.category,
                "reason": reason.public,
                "reason_zh": reason.zh,
                "reason_en": reason.en,
                "detail": refusal.detail,
                "digest": f"sha256:{refusal.digest}",
                "size": refusal.size,
                "topic": self.feed.topic,
                "source": self.feed.source,
                "event_id": event_id,
                "recorded": epoch_ms(self._clock.now()),
            }
        )
        return RawRecord(
            self.feed.dead_letters, key, body, headers, event_id, refusal.digest, refusal.code
        )


def key_text(row: Row, keys: tuple[str, ...]) -> str:
    """The record key of a row; empty where any part of it is missing."""
    parts = [text_at(row, name) for name in keys]
    return joined(*parts) if parts and all(parts) else ""


def text_at(row: Row, path: str) -> str:
    """A field as text without spaces at its ends; empty where it is missing."""
    value: Any = row.get(path)
    if value is None and "." in path:
        value = row
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else str(value).strip()


def _fields(body: bytes) -> Row:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
