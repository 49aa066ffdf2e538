"""Raw values as people and JSON see them: yuan, dates, instants, by the schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.contracts.interpreters import Names, names_of, resolved
from hub.contracts.schemas import Schema
from hub.kernel.amounts import text_of
from hub.kernel.clocks import from_epoch_ms, rfc3339
from hub.kernel.dates import date_of

_LOGICAL: dict[str, Callable[[int], str]] = {
    "decimal": text_of,
    "date": lambda days: date_of(days).isoformat(),
    "timestamp-millis": lambda instant: rfc3339(from_epoch_ms(instant)),
}


def plain(schema: Schema, value: Any, names: Names | None = None) -> Any:
    """A decoded value for JSON.

    Money becomes text in yuan with two places, a date ``2025-04-01``, an instant RFC 3339 with
    offset, bytes hexadecimal text.

    Args:
        schema: The schema it was decoded with.
        value: Raw value, see :mod:`hub.contracts.wires`.
        names: Its named types, where they are at hand.
    """
    return _plain(schema, value, names_of(schema) if names is None else names)


def _plain(schema: Schema, value: Any, names: Names) -> Any:
    kind, full = resolved(schema, names)
    if kind == "union":
        return None if value is None else _plain(full[1], value, names)
    if kind == "record":
        types = {field["name"]: field["type"] for field in full["fields"]}
        return {name: _plain(types[name], held, names) for name, held in value.items()}
    if kind == "array":
        return [_plain(full["items"], item, names) for item in value]
    logical = full.get("logicalType") if isinstance(full, dict) else None
    if logical in _LOGICAL:
        return _LOGICAL[logical](value)
    return value.hex() if isinstance(value, bytes) else value
