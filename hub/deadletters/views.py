"""Views: what may be shown of a dead letter without a reason: names, shapes and plain facts; pure.

Values of persons are shown by their shape only: ``9`` for a digit, ``x`` for a letter, ``字`` for
a Chinese character. The shape tells that a number has 17 digits without telling the number.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import decode_event
from hub.contracts.events import CanonicalEvent
from hub.kernel.clocks import from_epoch_ms, rfc3339
from hub.kernel.errors import DataError

_LONGEST = 64
_DEEPEST = 6
_MOST = 200


def shape(text: str) -> str:
    """The shape of a text; spaces and punctuation stay."""
    cut = text[:_LONGEST]
    more = f"…({len(text)})" if len(text) > _LONGEST else ""
    return "".join(map(_shape, cut)) + more


def _shape(character: str) -> str:
    if character.isdigit():
        return "9"
    if not character.isalpha():
        return character
    return "x" if character.isascii() else "字"


def view(value: bytes) -> dict[str, Any]:
    """What a record holds, masked.

    Returns:
        ``kind``: ``event``, ``json`` or ``bytes``; ``bytes``: its size; ``fields``: masked.
    """
    try:
        event = decode_event(value)
    except DataError:
        return _raw(value)
    return {"kind": "event", "bytes": len(value), "fields": _event(event)}


def _raw(value: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"kind": "bytes", "bytes": len(value), "fields": {}}
    return {"kind": "json", "bytes": len(value), "fields": _masked(found, 0)}


def _masked(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {_name(k): _masked(v, depth + 1) for k, v in list(value.items())[:_MOST]}
    if isinstance(value, list):
        return [_masked(one, depth + 1) for one in value[:_MOST]]
    if value is None or isinstance(value, bool):
        return value
    return shape(str(value))


def _name(name: str) -> str:
    """Names of fields are theirs to show, unless a number stands in one."""
    return shape(name) if sum(map(str.isdigit, name)) > 5 else name


def _event(event: CanonicalEvent) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "type": event.type,
        "source": event.source,
        "source_record_key": event.source_record_key,
        "source_version": event.source_version,
        "lifecycle": event.lifecycle,
        "correlation_id": event.correlation_id,
        "decision_id": event.decision_id,
        "recorded": rfc3339(from_epoch_ms(event.recorded)),
        "groups": {name: _group(name, fields) for name, fields in event.groups.items()},
    }


def _group(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    declared = catalogue().groups.get(name)
    plain = {f.name for f in declared.fields.values() if f.klass == "none"} if declared else set()
    return {
        field: value if field in plain else _masked(value, 0) for field, value in fields.items()
    }
