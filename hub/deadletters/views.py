"""Views: what may be shown of a record without a reason: names, shapes and plain facts; pure.

Values of persons are shown by their shape only: ``9`` for a digit, ``x`` for a letter, ``字`` for
a Chinese character. The shape tells that a number has 17 digits without telling the number.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import decode_copy, decode_event, schema_id_of
from hub.contracts.events import CanonicalEvent
from hub.contracts.vocabularies import Group
from hub.contracts.wires import MAGIC
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
        ``kind``: ``event``, ``copy``, ``json`` or ``bytes``; ``bytes``: its size; ``fields``:
        masked; ``error``: the code of what kept a framed record from being decoded, else empty.
    """
    kind, fields, error = "", {}, ""
    try:
        program = _program(value)
        kind = "copy" if program else "event"
        fields = _copy(decode_copy(program, value)) if program else _event(decode_event(value))
    except DataError as failure:
        if value[:1] != bytes((MAGIC,)):
            return _raw(value)
        kind, fields, error = "bytes", {}, failure.code
    return {"kind": kind, "bytes": len(value), "fields": fields, "error": error}


def _program(value: bytes) -> str:
    """The receiver whose copy this is; empty: no copy."""
    file = catalogue().files_by_id.get(schema_id_of(value), "")
    inside = file.startswith("programs/")
    return file.removeprefix("programs/").removesuffix(".avsc") if inside else ""


def _raw(value: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"kind": "bytes", "bytes": len(value), "fields": {}, "error": ""}
    return {"kind": "json", "bytes": len(value), "fields": _masked(found, 0), "error": ""}


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


def _copy(copy: dict[str, Any]) -> dict[str, Any]:
    """A copy: its envelope names no person; everything else is masked field by field."""
    bodies = catalogue().bodies
    shown: dict[str, Any] = {"type": copy["envelope"]["type"], "envelope": copy["envelope"]}
    for name, fields in copy.items():
        if isinstance(fields, dict) and name != "envelope":
            shown[name] = _group(name, fields, bodies.get(name))
        elif name != "envelope":
            shown[name] = _masked(fields, 0)
    return shown


def _group(name: str, fields: dict[str, Any], declared: Group | None = None) -> dict[str, Any]:
    declared = declared or catalogue().groups.get(name)
    plain = {f.name for f in declared.fields.values() if f.klass == "none"} if declared else set()
    return {
        field: value if field in plain else _masked(value, 0) for field, value in fields.items()
    }
