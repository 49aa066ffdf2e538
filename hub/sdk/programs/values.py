"""Values of JSON copies back into the form the codec gives: days, ms and fen as integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.contracts.interpreters import Names, names_of, resolved
from hub.kernel.amounts import fen
from hub.kernel.dates import days
from hub.kernel.errors import DataError
from hub.sdk.instants import instant_ms

_LOGICAL: dict[str, Callable[[str], int]] = {
    "decimal": fen,
    "date": days,
    "timestamp-millis": instant_ms,
}


def raw(schema: Any, value: Any) -> Any:
    """The raw form of a rendered value; fields that the schema does not know stay as they are.

    Args:
        schema: The schema it was rendered with.
        value: Parsed JSON.

    Raises:
        DataError: a date, instant or amount that cannot be read, or a wrong kind of value.
    """
    return _raw(schema, value, names_of(schema))


def _raw(schema: Any, value: Any, names: Names) -> Any:
    kind, full = resolved(schema, names)
    if kind == "union":
        return None if value is None else _raw(full[1], value, names)
    if kind == "record":
        if not isinstance(value, dict):
            raise DataError("E-FIELD-TYPE", full["name"])
        types = {field["name"]: field["type"] for field in full["fields"]}
        return {
            name: _raw(types[name], held, names) if name in types else held
            for name, held in value.items()
        }
    if kind == "array":
        return [_raw(full["items"], item, names) for item in value]
    logical = full.get("logicalType") if isinstance(full, dict) else None
    return _LOGICAL[logical](value) if logical in _LOGICAL else value
