"""Topics: everything that stands on them, committed records only, read by our own decoder."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Message
from confluent_kafka import TopicPartition as Partition
from confluent_kafka.admin import AdminClient, OffsetSpec

from tests.faults.sites import Site
from tests.faults.verifier.avro import Schemas
from tests.faults.verifier.sets import Copy, Event, Letter, Place

EVENTS = re.compile(r"event\..+")
INBOXES = re.compile(r"program\..+\.inbox")
LETTERS = re.compile(r"dlq\.hub\..+")
READ = re.compile(r"(in|event)\..+|program\..+\.reply")
"""Topics that the hub's stages read, so that they have claims."""
GROUPS = ("hub.intake", "hub.decide")
_NUMBERS = ("ce_subscriptionseq", "ce_subscriptiongen")
_REFS = {"envelope", "person_ref", "household_ref"}
_IDLE_SECONDS = 10.0
_MANY = 5000

Record = Message
Headers = dict[str, bytes]


class Reader:
    """Reads topics from their beginning; each call goes on where the last one ended.

    Args:
        site: Where the brokers and the schemas are.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.schemas = Schemas(Path(site.schemas))
        self._consumer = Consumer(
            {
                "bootstrap.servers": site.direct,
                "group.id": f"{site.prefix}verifier-{time.monotonic_ns()}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "log_level": 0,
            }
        )
        self._admin = AdminClient({"bootstrap.servers": site.direct, "log_level": 0})
        self._next: dict[tuple[str, int], int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def places(self, wanted: Callable[[str], object]) -> list[Place]:
        """Partitions of the hub's topics that fit."""
        prefix = self._site.prefix
        found = self._admin.list_topics(timeout=20).topics
        return sorted(
            Place(name.removeprefix(prefix), number)
            for name, topic in found.items()
            if name.startswith(prefix) and wanted(name.removeprefix(prefix))
            for number in topic.partitions
        )

    def bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """First offset and the offset behind the last record of each log."""
        asked = {place: Partition(self._site.prefix + place.topic, place.part) for place in places}
        # Of a client of its own: a request for offsets would queue behind the reader's long poll.
        starts, ends = (
            self._admin.list_offsets(dict.fromkeys(asked.values(), spec), request_timeout=20)
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
        )
        return {
            place: (starts[one].result(20).offset, ends[one].result(20).offset)
            for place, one in asked.items()
        }

    def new(self, wanted: Callable[[str], object]) -> list[Record]:
        """Records that came since the last call, up to the present ends."""
        bounds = self.bounds(self.places(wanted))
        behind = {
            (place.topic, place.part): end
            for place, (start, end) in bounds.items()
            if end > self._next.get((place.topic, place.part), start)
        }
        if not behind:
            return []
        prefix = self._site.prefix
        begins = {(place.topic, place.part): start for place, (start, _) in bounds.items()}
        self._consumer.assign(
            [
                Partition(prefix + topic, part, self._next.get((topic, part), begins[topic, part]))
                for topic, part in behind
            ]
        )
        return self._read(behind)

    def _read(self, behind: dict[tuple[str, int], int]) -> list[Record]:
        found: list[Record] = []
        moved = time.monotonic()
        while behind and time.monotonic() - moved < _IDLE_SECONDS:
            for record in self._consumer.consume(_MANY, timeout=0.2):
                if record.error() is not None:
                    continue
                moved = time.monotonic()
                found.append(record)
                topic = str(record.topic()).removeprefix(self._site.prefix)
                place, following = (topic, _part(record)), _offset(record) + 1
                self._next[place] = following
                if following >= behind.get(place, 1 << 62):
                    behind.pop(place, None)
            # Markers of foreign transactions are no records, but they move the position.
            for topic, part in list(behind):
                (at,) = self._consumer.position([Partition(self._site.prefix + topic, part)])
                if at.offset >= behind[topic, part]:
                    self._next[topic, part] = at.offset
                    behind.pop((topic, part))
        return found

    def copies_since(self, programs: Iterable[str], *, wait: float) -> list[Copy]:
        """Copies that came to inboxes since the last call; waits a while where there are none."""
        names = {f"program.{program}.inbox" for program in programs}
        records = self.new(names.__contains__)
        if not records:
            time.sleep(wait)
        return [copy_of(self.schemas, *taken(record)) for record in records]

    def mirrors(self) -> dict[Place, int]:
        """Offsets that the hub's groups committed to Kafka."""
        found: dict[Place, int] = {}
        for group in GROUPS:
            asked = ConsumerGroupTopicPartitions(self._site.prefix + group)
            answers = self._admin.list_consumer_group_offsets([asked])
            try:
                told = [answer.result(20) for answer in answers.values()]
            except KafkaException:
                # A group that never committed does not exist.
                continue
            for one in told:
                for part in one.topic_partitions or ():
                    topic = part.topic.removeprefix(self._site.prefix)
                    found[Place(topic, part.partition)] = part.offset
        return found


def _part(record: Record) -> int:
    return record.partition() or 0


def _offset(record: Record) -> int:
    return record.offset() or 0


def taken(record: Record) -> tuple[str, int, bytes, bytes, Headers]:
    """Topic on the cluster, offset, key, value and headers."""
    headers: Any = record.headers() or []
    return (
        str(record.topic()),
        _offset(record),
        bytes(record.key() or b""),  # type: ignore[arg-type]
        bytes(record.value() or b""),  # type: ignore[arg-type]
        dict(headers),
    )


def digest_of(key: bytes, value: bytes, headers: Headers) -> str:
    """What must be the same each time a copy is sent."""
    hashed = sha256(b"%d:%d:" % (len(key), len(value)) + key + value)
    for name, held in sorted(headers.items()):
        if name not in _NUMBERS:
            hashed.update(b"%s=%d:" % (name.encode(), len(held or b"")) + (held or b""))
    return hashed.hexdigest()[:24]


def number_of(headers: Headers, name: str) -> int:
    """A numeric header; -1 where it is missing."""
    text = headers.get(name) or b""
    return int(text) if text.isdigit() else -1


def copy_of(
    schemas: Schemas, topic: str, off: int, key: bytes, value: bytes, headers: Headers
) -> Copy:
    """A record of an inbox as a copy.

    Raises:
        ValueError: not a copy of that receiver.
    """
    file, body = schemas.read(value)
    program = file.removeprefix("programs/").removesuffix(".avsc")
    if f"program.{program}.inbox" not in topic:
        raise ValueError(f"a copy for {program} lies on {topic}")
    envelope = body["envelope"]
    copy_id = (headers.get("ce_id") or b"").decode()
    if copy_id != envelope["copy_id"]:
        raise ValueError("header and envelope name different copies")
    return Copy(
        program=program,
        off=off,
        copy_id=copy_id,
        seq=number_of(headers, _NUMBERS[0]),
        generation=number_of(headers, _NUMBERS[1]),
        digest=digest_of(key, value, headers),
        body=sha256(value).hexdigest(),
        **content_of(body),
    )


def content_of(body: dict[str, Any]) -> dict[str, Any]:
    """Type, subject, person, referral and fields of a copy's body."""
    envelope = body["envelope"]
    annulled = envelope["lifecycle"] == "annulled"
    return {
        "type": envelope["type"] + ("-annulled" if annulled else ""),
        "subject": _subject(body),
        "person": body.get("person_ref") or "",
        "referral": envelope.get("referral_id") or "",
        "fields": frozenset(
            f"{group}.{field}"
            for group, held in body.items()
            if group not in _REFS and isinstance(held, dict)
            for field, value in held.items()
            if value is not None
        ),
    }


def _subject(body: dict[str, Any]) -> str:
    for group, field in (("id", "id_number"), ("meter", "meter_account"), ("school", "student_no")):
        found = (body.get(group) or {}).get(field)
        if found:
            return str(found)
    return ""


def event_of(schemas: Schemas, topic: str, off: int, value: bytes, *, part: int) -> Event:
    """A record of ``event.*``.

    Raises:
        ValueError: not an event.
    """
    file, body = schemas.read(value)
    envelope = body["envelope"]
    failure = body.get("failure") or {}
    return Event(
        topic=topic,
        part=part,
        off=off,
        event_id=envelope["event_id"],
        source=envelope["source"],
        key=envelope["source_record_key"],
        type=file.removeprefix("events/").removesuffix(".avsc"),
        lifecycle=envelope["lifecycle"],
        digest=envelope["digest"],
        code=failure.get("code") or "",
    )


def letter_of(topic: str, off: int, value: bytes, headers: Headers, *, part: int) -> Letter:
    """A record of ``dlq.hub.*``; its code stands in a header of its own."""
    code = (headers.get("hub.dlq.code") or b"").decode()
    return Letter(topic, part, off, sha256(value).hexdigest(), code)
