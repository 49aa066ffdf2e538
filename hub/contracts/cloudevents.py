"""CloudEvents 1.0: binary mode on Kafka, structured JSON for webhooks and pull, tolerant reading.

Internal events carry the four required attributes; the rest of the envelope is in the body.
Copies that leave the hub carry the whole table. Sequence and generation are added last, by
whoever numbers a subscription.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
import orjson

from hub.contracts.catalogues import catalogue
from hub.contracts.events import CanonicalEvent
from hub.contracts.interpreters import Names, names_of
from hub.contracts.renderings import plain
from hub.contracts.schemas import Schema
from hub.contracts.vocabularies import ce_type
from hub.kernel.clocks import from_epoch_ms, rfc3339
from hub.kernel.dates import date_of
from hub.kernel.errors import DataError

Header = tuple[str, bytes]

CONTENT_TYPE = "content-type"
AVRO = b"application/avro"
SEQUENCE = "ce_subscriptionseq"
GENERATION = "ce_subscriptiongen"
_STRUCTURED = "application/cloudevents"
_PREFIX = "ce_"
_RANK = {"none": 0, "pseudonym": 1, "personal": 2, "sensitive": 3}
_CLASSIFICATION = ("internal", "internal", "confidential", "restricted")


class EventHeaders(dict[str, tuple[Header, ...]]):
    """Division → the headers that all events of one type and connector there have in common.

    Args:
        source: Connector id.
        event_type: Event type.
    """

    def __init__(self, source: str, event_type: str) -> None:
        super().__init__()
        self._source = source
        self._type = ce_type(event_type).encode()

    def __missing__(self, division: str) -> tuple[Header, ...]:
        """The headers of a division not seen before; divisions are checked, hence not many."""
        made = (
            ("ce_specversion", b"1.0"),
            ("ce_source", source_of(division, self._source).encode()),
            ("ce_type", self._type),
            (CONTENT_TYPE, AVRO),
        )
        self[division] = made
        return made

    def of(self, event: CanonicalEvent) -> list[Header]:
        """All headers of an event of this type and connector."""
        return [("ce_id", event.event_id.encode()), *self[event.jurisdiction]]


@cache
def _headers(source: str, event_type: str) -> EventHeaders:
    return EventHeaders(source, event_type)


def source_of(division: str, connector: str) -> str:
    """``ce_source``: ``/gov/320682/health``; finer divisions count as their county."""
    return f"/gov/{division[:6]}/{connector}"


def event_headers(event: CanonicalEvent, traceparent: str = "") -> list[Header]:
    """Headers of a record on ``event.*``: the required attributes, content type, trace if any."""
    headers = _headers(event.source, event.type).of(event)
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


@cache
def _ranks(program: str) -> dict[str, int]:
    place = catalogue()
    grant = place.grants[program]
    return {
        name: max(_RANK[place.groups[name].fields[field].klass] for field in fields)
        for name, fields in grant.groups.items()
    }


def sensitivity(program: str, copy: dict[str, Any]) -> int:
    """Highest class among the groups of a copy: 0 none, 1 pseudonym, 2 personal, 3 sensitive.

    A group counts as its most sensitive granted field, and roster rows as the whole grant.
    """
    ranks = _ranks(program)
    if copy.get("rows"):
        return max(ranks.values())
    found = [rank for name, rank in ranks.items() if copy.get(name)]
    return max([*found, 1 if copy.get("person_ref") else 0])


def copy_headers(
    program: str, copy: dict[str, Any], *, recorded: int, division: str = "", traceparent: str = ""
) -> list[Header]:
    """Every header of a copy but its number.

    Args:
        program: The receiver.
        copy: As given to :func:`hub.contracts.codecs.encode_copy`.
        recorded: ms since 1970, when the hub made the copy.
        division: Division of the hub; empty: the copy's own county.
        traceparent: Trace of this hop, never that of the originating act.
    """
    envelope = copy["envelope"]
    level = sensitivity(program, copy)
    person = copy.get("person_ref") or ""
    optional = {
        "subject": person,
        "partitionkey": person,
        "causationid": envelope.get("causation_id"),
        "replaces": envelope.get("replaces"),
        "decisionid": envelope.get("decision_id"),
        "profileversion": envelope.get("profile_version"),
        "effectivefrom": _effective(copy),
        "dataregulation": "PIPL,DSL" if level else "",
        "datacategory": ("" if not level else "sensitive" if level == 3 else "standard"),
        "traceparent": traceparent,
    }
    attributes = {
        "specversion": "1.0",
        "id": envelope["copy_id"],
        "source": source_of(division or envelope["jurisdiction"], "hub"),
        "type": ce_type(envelope["type"]),
        "time": rfc3339(from_epoch_ms(envelope["occurred_at"])),
        "dataschema": catalogue().dataschema(f"programs/{program}.avsc"),
        "recordedtime": rfc3339(from_epoch_ms(recorded)),
        "correlationid": envelope["correlation_id"],
        "dataclassification": _CLASSIFICATION[level],
        "authtype": "system",
        "authid": "hub",
        "lifecycle": envelope["lifecycle"],
        "jurisdiction": envelope["jurisdiction"],
        "catalogid": envelope["catalog_id"],
        "legalbasis": envelope["legal_basis"],
        "purpose": envelope["purpose"],
        "subscriptionid": envelope["subscription"],
        "ruleid": envelope["rule_id"],
        "maskversion": envelope["mask_version"],
    } | {name: text for name, text in optional.items() if text}
    headers = [(f"{_PREFIX}{name}", str(text).encode()) for name, text in attributes.items()]
    headers.append((CONTENT_TYPE, AVRO))
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


def _effective(copy: dict[str, Any]) -> str:
    # Only as exact as the grant: a month where the receiver may see months.
    category = copy.get("category") or {}
    if category.get("effective_from") is not None:
        return date_of(category["effective_from"]).isoformat()
    return category.get("effective_from_month") or ""


def with_sequence(headers: Sequence[Header], sequence: int, generation: int) -> list[Header]:
    """Headers with the copy's gapless number, 20 digits because it compares as text.

    Args:
        headers: Of the copy.
        sequence: Number within the subscription, from 1.
        generation: Counts up when a subscription's numbers start anew.
    """
    return [
        *headers,
        (SEQUENCE, b"%020d" % sequence),
        (GENERATION, str(generation).encode()),
    ]


class Attributes(msgspec.Struct, frozen=True):
    """What a reader found.

    ``attributes`` are the CloudEvents attributes by name without ``ce_``, the first where one
    stands twice. ``rest`` keeps every other header in order: foreign, repeated, not UTF-8.
    """

    attributes: dict[str, str]
    rest: tuple[Header, ...]
    content_type: str
    structured: bool


def read_headers(headers: Iterable[tuple[str, bytes | None]]) -> Attributes:
    """Read the headers of any record; nothing in them is an error."""
    attributes: dict[str, str] = {}
    rest: list[Header] = []
    content_type = ""
    for name, value in headers:
        data = value or b""
        key = name.lower()
        short = key.removeprefix(_PREFIX)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            rest.append((name, data))
            continue
        if key == CONTENT_TYPE and not content_type:
            content_type = text
        elif key.startswith(_PREFIX) and short not in attributes:
            attributes[short] = text
        else:
            rest.append((name, data))
    structured = content_type.lower().startswith(_STRUCTURED)
    return Attributes(attributes, tuple(rest), content_type, structured)


@cache
def _schema(program: str) -> tuple[Schema, Names]:
    place = catalogue()
    schema = place.schemas_by_id[place.schema_id(f"programs/{program}.avsc")]
    return schema, names_of(schema)


def to_json(program: str, copy: dict[str, Any], headers: Iterable[Header]) -> bytes:
    """A copy as structured CloudEvents JSON, for webhooks, pull and files.

    Args:
        program: The receiver.
        copy: As decoded, or as given to the encoder.
        headers: Of the copy, with its number.
    """
    schema, names = _schema(program)
    found = read_headers(headers).attributes
    return orjson.dumps(
        {
            **found,
            "datacontenttype": "application/json",
            "data": plain(
                schema, {name: held for name, held in copy.items() if held is not None}, names
            ),
        }
    )


def from_json(body: bytes) -> tuple[dict[str, Any], Any]:
    """Attributes and data of a structured CloudEvent; unknown attributes are kept.

    Raises:
        DataError: ``E-JSON``; ``E-FIELD-MISSING`` for a required attribute.
    """
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise DataError("E-JSON") from None
    if not isinstance(tree, dict):
        raise DataError("E-JSON")
    for name in ("specversion", "id", "source", "type"):
        if not isinstance(tree.get(name), str) or not tree[name]:
            raise DataError("E-FIELD-MISSING", name)
    data = tree.pop("data", None)
    return tree, data
