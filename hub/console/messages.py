"""Messages: records of topics as people may see them: masked, with their headers and place."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from hub.console.filters import as_json
from hub.contracts.catalogues import catalogue
from hub.deadletters.views import shape, view

_OURS = ("ce_", "hub.", "content-type", "traceparent")
_NUMBER = re.compile(r"[0-9]{14,}[0-9Xx]?")
_KEY = 4
_LONGEST = 240


class Message(NamedTuple):
    """A record.

    Attributes:
        place: Topic, partition, offset.
        at: When the broker took it, ms since 1970.
        key: The first characters of its key: enough to tell persons apart, not to name one.
        size: Bytes of its value.
        kind: ``event``, ``copy``, ``json``, ``bytes`` or ``none``.
        type: Event type; empty: none.
        file: Schema file; empty: none.
        fields: Masked, as JSON holds them.
        headers: Values that may be shown, others by their shape.
        error: Code of what kept it from being decoded.
    """

    place: tuple[str, int, int]
    at: int
    key: str
    size: int
    kind: str
    type: str
    file: str
    fields: Any
    headers: dict[str, str]
    error: str

    @property
    def text(self) -> str:
        """The masked fields, indented."""
        return msgspec.json.format(msgspec.json.encode(self.fields), indent=2).decode()

    @property
    def line(self) -> str:
        """What the record says, masked, in one line, cut; of an event and a copy no ids."""
        fields = self.fields
        if self.kind == "event":
            fields = fields["groups"]
        elif self.kind == "copy":
            fields = {k: v for k, v in fields.items() if k not in {"type", "envelope"}}
        text = msgspec.json.encode(fields).decode()
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"

    def asked(self) -> dict[str, Any]:
        """What a filter may ask about."""
        return {
            "record": self.fields,
            "headers": self.headers,
            "key": self.key,
            "partition": self.place[1],
            "offset": self.place[2],
        }

    @property
    def ids(self) -> dict[str, str]:
        """Ids by which the matter is found: event, matter, referral."""
        fields = self.fields if isinstance(self.fields, dict) else {}
        inside = fields.get("envelope", fields)
        names = ("event_id", "correlation_id", "referral_id")
        return {n: str(inside[n]) for n in names if self.kind != "json" and inside.get(n)}


def message(topic: str, record: Any) -> Message:
    """A consumer's record, masked.

    Args:
        topic: Its declared name.
        record: Of aiokafka.
    """
    value = record.value
    shown: dict[str, Any] = {"kind": "none", "fields": {}, "error": ""}
    if value is not None:
        shown = view(value)
    fields = as_json(shown["fields"])
    framed = shown["kind"] in {"event", "copy"}
    return Message(
        (topic, record.partition, record.offset),
        record.timestamp,
        key_of(record.key),
        len(value or b""),
        shown["kind"],
        str(fields["type"]) if framed else "",
        catalogue().files_by_id[int.from_bytes(value[1:5], "big")] if framed else "",
        fields,
        headers_of(record.headers),
        shown["error"],
    )


def key_of(key: bytes | None) -> str:
    """The first bytes of a key: as text where the key is text, else hexadecimal."""
    if not key:
        return ""
    # A source's own key may be anything; pseudonyms and keyed hashes are random.
    if key[:_KEY].isdigit():
        return "9" * _KEY
    is_text = key.isascii() and key.isalnum()
    return key[:_KEY].decode() if is_text else key[:_KEY].hex()


def headers_of(headers: Any) -> dict[str, str]:
    """Headers as texts; those that are not the hub's own by their shape, and long numbers too."""
    found = {}
    for name, value in headers:
        text = (value or b"").decode("utf-8", "replace")[:_LONGEST]
        shown = name if _known(name) else shape(name)
        found[shown] = _NUMBER.sub(_shape, text) if _known(name) else shape(text)
    return found


def _shape(found: re.Match[str]) -> str:
    return shape(found[0])


def _known(name: str) -> bool:
    return name.startswith(_OURS)
