"""Reading and writing Avro by walking the schema: slow, complete, and exact about errors.

The compiled codecs handle what is common and leave the rest to these two functions, so a
refusal always names its field and nothing is refused only because it is rare.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.contracts.schemas import Schema
from hub.contracts.wires import INT, LONG, NULL, number, refused, span, zigzag

MAX_ITEMS = 100_000
"""Items of one array; a longer roster travels in parts."""

_INTEGERS = {"int": INT, "long": LONG}
Names = dict[str, Any]


def names_of(schema: Schema) -> Names:
    """Named types of a schema by full name."""
    found: Names = {}
    _collect(schema, found)
    return found


def _collect(schema: Schema, found: Names) -> None:
    if isinstance(schema, list):
        for branch in schema:
            _collect(branch, found)
    elif isinstance(schema, dict):
        if "name" in schema and schema["type"] in {"record", "enum", "fixed"}:
            found[f"{schema['namespace']}.{schema['name']}"] = schema
        for field in schema.get("fields", ()):
            _collect(field["type"], found)
        _collect(schema.get("items"), found)


def resolved(schema: Schema, names: Names) -> tuple[str, Schema]:
    """Kind of a type and the type itself, names looked up.

    Kinds are Avro's, ``money`` for the decimal, and ``union`` for ``["null", T]``.
    """
    if isinstance(schema, str) and schema in names:
        schema = names[schema]
    if isinstance(schema, list):
        return "union", schema
    if isinstance(schema, str):
        return schema, schema
    kind = "money" if schema.get("logicalType") == "decimal" else schema["type"]
    return kind, schema


def write(schema: Schema, value: Any, names: Names, path: str = "") -> bytes:
    """The bytes of a value.

    Args:
        schema: Its type.
        value: Raw value, see :mod:`hub.contracts.wires`.
        names: Named types.
        path: Where the value stands, for errors.

    Raises:
        DataError: ``E-SCHEMA-BODY`` with the path of the field that does not fit.
    """
    kind, full = resolved(schema, names)
    if kind == "union":
        if value is None:
            return NULL
        return zigzag(1) + write(full[1], value, names, path)
    if kind == "record":
        return _write_record(full, value, names, path)
    if kind == "array":
        return _write_array(full, value, names, path)
    return _WRITERS[kind](full, value, path)


def _write_integer(schema: Schema, value: Any, path: str) -> bytes:
    limit = _INTEGERS[schema if isinstance(schema, str) else schema["type"]]
    if type(value) is not int or not -limit <= value < limit:
        raise refused(path, "not a whole number in bounds")
    return zigzag(value)


def _write_boolean(_: Schema, value: Any, path: str) -> bytes:
    if type(value) is not bool:
        raise refused(path, "not true or false")
    return b"\x01" if value else NULL


def _write_string(_: Schema, value: Any, path: str) -> bytes:
    if not isinstance(value, str):
        raise refused(path, "not text")
    try:
        data = value.encode()
    except UnicodeEncodeError:
        raise refused(path, "half a character") from None
    return zigzag(len(data)) + data


def _write_bytes(_: Schema, value: Any, path: str) -> bytes:
    if not isinstance(value, bytes):
        raise refused(path, "not bytes")
    return zigzag(len(value)) + value


def _write_money(schema: Schema, value: Any, path: str) -> bytes:
    if type(value) is not int or abs(value) >= 10 ** schema["precision"]:
        raise refused(path, "not an amount in fen")
    size = (value.bit_length() >> 3) + 1
    return zigzag(size) + value.to_bytes(size, "big", signed=True)


def _write_fixed(schema: Schema, value: Any, path: str) -> bytes:
    if not isinstance(value, bytes) or len(value) != schema["size"]:
        raise refused(path, f"not {schema['size']} bytes")
    return value


def _write_enum(schema: Schema, value: Any, path: str) -> bytes:
    if not isinstance(value, str) or value not in schema["symbols"]:
        raise refused(path, "not a symbol of the enum")
    return zigzag(schema["symbols"].index(value))


def _write_array(schema: Schema, value: Any, names: Names, path: str) -> bytes:
    if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
        raise refused(path, f"not a list of at most {MAX_ITEMS}")
    if not value:
        return NULL
    items = (
        write(schema["items"], item, names, f"{path}[{place}]") for place, item in enumerate(value)
    )
    return zigzag(len(value)) + b"".join(items) + NULL


def _write_record(schema: Schema, value: Any, names: Names, path: str) -> bytes:
    if not isinstance(value, dict):
        raise refused(path, "not a record")
    fields = {field["name"]: field["type"] for field in schema["fields"]}
    head = f"{path}." if path else ""
    for name in value:
        if name not in fields:
            raise refused(f"{head}{name}", "not declared")
    return b"".join(
        write(kind, value.get(name), names, f"{head}{name}") for name, kind in fields.items()
    )


_WRITERS: dict[str, Callable[[Schema, Any, str], bytes]] = {
    "int": _write_integer,
    "long": _write_integer,
    "boolean": _write_boolean,
    "string": _write_string,
    "bytes": _write_bytes,
    "money": _write_money,
    "fixed": _write_fixed,
    "enum": _write_enum,
}


def read(schema: Schema, data: bytes, place: int, names: Names, path: str = "") -> tuple[Any, int]:
    """A value out of bytes; null fields of records are left out.

    Returns:
        The value and the place after it.

    Raises:
        DataError: ``E-SCHEMA-BODY`` with the path of the field that does not fit.
    """
    kind, full = resolved(schema, names)
    try:
        if kind == "union":
            branch, place = number(data, place)
            if branch == 0:
                return None, place
            if branch != 1:
                raise refused(path, "no such branch")
            return read(full[1], data, place, names, path)
        if kind == "record":
            return _read_record(full, data, place, names, path)
        if kind == "array":
            return _read_array(full, data, place, names, path)
        return _READERS[kind](full, data, place, path)
    except (IndexError, ValueError, RecursionError):
        raise refused(path) from None


def _read_integer(
    schema: Schema,
    data: bytes,
    place: int,
    path: str,
) -> tuple[int, int]:
    value, place = number(data, place)
    limit = _INTEGERS[schema if isinstance(schema, str) else schema["type"]]
    if not -limit <= value < limit:
        raise refused(path, "out of bounds")
    return value, place


def _read_boolean(
    _: Schema,
    data: bytes,
    place: int,
    path: str,
) -> tuple[bool, int]:
    if data[place] > 1:
        raise refused(path, "not true or false")
    return data[place] == 1, place + 1


def _piece(data: bytes, begin: int, end: int, path: str) -> bytes:
    if end > len(data):
        raise refused(path, "cut off")
    return data[begin:end]


def _read_string(
    _: Schema,
    data: bytes,
    place: int,
    path: str,
) -> tuple[str, int]:
    begin, end = span(data, place)
    return _piece(data, begin, end, path).decode(), end


def _read_bytes(
    _: Schema,
    data: bytes,
    place: int,
    path: str,
) -> tuple[bytes, int]:
    begin, end = span(data, place)
    return _piece(data, begin, end, path), end


def _read_money(
    schema: Schema,
    data: bytes,
    place: int,
    path: str,
) -> tuple[int, int]:
    begin, end = span(data, place)
    value = int.from_bytes(_piece(data, begin, end, path), "big", signed=True)
    if abs(value) >= 10 ** schema["precision"]:
        raise refused(path, "out of bounds")
    return value, end


def _read_fixed(
    schema: Schema,
    data: bytes,
    place: int,
    path: str,
) -> tuple[bytes, int]:
    end = place + schema["size"]
    return _piece(data, place, end, path), end


def _read_enum(
    schema: Schema,
    data: bytes,
    place: int,
    path: str,
) -> tuple[str, int]:
    index, place = number(data, place)
    if not 0 <= index < len(schema["symbols"]):
        raise refused(path, "no such symbol")
    return schema["symbols"][index], place


def _read_array(
    schema: Schema, data: bytes, place: int, names: Names, path: str
) -> tuple[list[Any], int]:
    found: list[Any] = []
    while True:
        count, place = number(data, place)
        if count < 0:
            count = -count
            _, place = number(data, place)
        if count == 0:
            return found, place
        if len(found) + count > MAX_ITEMS:
            raise refused(path, f"more than {MAX_ITEMS} items")
        for _ in range(count):
            item, place = read(schema["items"], data, place, names, f"{path}[{len(found)}]")
            found.append(item)


def _read_record(
    schema: Schema, data: bytes, place: int, names: Names, path: str
) -> tuple[dict[str, Any], int]:
    found = {}
    head = f"{path}." if path else ""
    for field in schema["fields"]:
        value, place = read(field["type"], data, place, names, f"{head}{field['name']}")
        if value is not None:
            found[field["name"]] = value
    return found, place


_READERS: dict[str, Callable[[Schema, bytes, int, str], tuple[Any, int]]] = {
    "int": _read_integer,
    "long": _read_integer,
    "boolean": _read_boolean,
    "string": _read_string,
    "bytes": _read_bytes,
    "money": _read_money,
    "fixed": _read_fixed,
    "enum": _read_enum,
}
