"""Decoders compiled from a schema: one generated function that walks the bytes once.

The function takes the common forms only; whatever it stumbles over goes to the interpreter,
which either reads it or refuses it with the field's path. A place beyond the end is found at
the end: places only grow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from struct import Struct, error
from typing import Any

from hub.contracts.encoders import STUMBLES as COMMON
from hub.contracts.interpreters import MAX_ITEMS, Names, names_of, read, resolved
from hub.contracts.schemas import SEALED, Schema
from hub.contracts.wires import Dates, number, refused, span

STUMBLES = (*COMMON, error)
"""What a generated function raises where the bytes have no common form."""

Reader = Callable[[bytes, int], tuple[Any, int]]


@cache
def tables() -> dict[str, Any]:
    """The tables generated functions share."""
    none: list[int | None] = [None] * (1 << 16)
    low, middle, high = none[:], none[:], none[:]
    for pair in range(1 << 14):
        first = pair & 127 | 128
        more = (pair >> 7 | 128) << 8 | first
        # An odd number would be negative: the interpreter's business.
        low[more] = None if pair & 1 else pair >> 1
        middle[more] = pair << 13
        if pair >= 128:
            high[pair >> 7 << 8 | first] = pair << 27
    return {
        "pairs": Struct("<HHH").unpack_from,
        "X": low,
        "Y": middle,
        "Z": high,
        "D": Dates(),
        "B": (False, True),
        "span": span,
        "number": number,
        "amount": int.from_bytes,
        "array": _array,
        "string": _string,
        "stumble": (),
    }


def _array(data: bytes, place: int, item: Reader) -> tuple[list[Any], int]:
    found: list[Any] = []
    while True:
        count, place = number(data, place)
        if count < 0:
            count = -count
            _, place = number(data, place)
        if count == 0:
            return found, place
        if len(found) + count > MAX_ITEMS:
            raise ValueError("too many items")
        for _ in range(count):
            value, place = item(data, place)
            found.append(value)


def _string(data: bytes, place: int) -> tuple[str, int]:
    begin, end = span(data, place)
    return data[begin:end].decode(), end


class Source:
    """Collects the statements of one function and what these refer to.

    In every generated function ``b`` are the bytes and ``p`` is the place.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.space: dict[str, Any] = dict(tables())
        self.lines: list[str] = []
        self.count = 0

    def fresh(self, prefix: str = "v") -> str:
        """A new name."""
        self.count += 1
        return f"{prefix}{self.count}"

    def bind(self, value: Any, prefix: str = "k") -> str:
        """A global name for a value."""
        name = self.fresh(prefix)
        self.space[name] = value
        return name

    def add(self, indent: int, *lines: str) -> None:
        """Statements at a depth."""
        self.lines += [f"{'    ' * indent}{line}" for line in lines]

    def field(self, schema: Schema, target: str, indent: int, *, none: bool) -> None:
        """Statements that read one value.

        Args:
            schema: Its type.
            target: What it is assigned to.
            indent: Depth of the statements.
            none: Whether null is assigned too; else nothing is.
        """
        kind, full = resolved(schema, self.names)
        if kind != "union":
            self._value(kind, full, target, indent)
            return
        kind, full = resolved(full[1], self.names)
        self.add(indent, "n = b[p]; p += 1", "if n == 2:")
        self._value(kind, full, target, indent + 1)
        self.add(indent, "elif n: stumble[0]")
        if none:
            self.add(indent, f"else: {target} = None")

    def _value(self, kind: str, schema: Schema, target: str, indent: int) -> None:
        logical = schema.get("logicalType") if isinstance(schema, dict) else None
        if kind in {"string", "bytes", "money"}:
            taken = {
                "string": "b[p:q].decode()",
                "bytes": "b[p:q]",
                "money": "amount(b[p:q], 'big', signed=True)",
            }[kind]
            self.add(
                indent,
                "n = b[p]",
                "if n & 129: p, q = span(b, p)",
                "else: p += 1; q = p + (n >> 1)",
                f"{target} = {taken}; p = q",
            )
        elif logical == "timestamp-millis":
            self.add(indent, f"n, m, o = pairs(b, p); {target} = X[n] + Y[m] + Z[o]; p += 6")
        elif logical == "date":
            self.add(indent, f"{target}, n = D[b[p:p + 3]]; p += n")
        else:
            self._other(kind, schema, target, indent)

    def _other(self, kind: str, schema: Schema, target: str, indent: int) -> None:
        if kind in {"int", "long"}:
            self.add(indent, f"{target}, p = number(b, p)")
        elif kind == "boolean":
            self.add(indent, f"{target} = B[b[p]]; p += 1")
        elif kind == "fixed":
            size = schema["size"]
            self.add(indent, f"{target} = b[p:p + {size}]; p += {size}")
        elif kind == "enum":
            # Index n is the byte 2n; an odd byte is a negative number.
            symbols = self.bind({index * 2: name for index, name in enumerate(schema["symbols"])})
            self.add(indent, f"{target} = {symbols}[b[p]]; p += 1")
        elif kind == "array":
            item, full = resolved(schema["items"], self.names)
            reader = "string" if item == "string" else self.bind(self._reader(full), "r")
            self.add(indent, f"{target}, p = array(b, p, {reader})")
        else:
            self.add(indent, f"{target}, p = {self.bind(self._reader(schema), 'r')}(b, p)")

    def _reader(self, schema: Schema) -> Reader:
        inner = Source(self.names)
        inner.record(schema, "d", 0)
        return inner.made("d, p")

    def record(self, schema: Schema, target: str, indent: int) -> None:
        """Statements that read a record into a dict, null fields left out."""
        self.add(indent, f"{target} = {{}}")
        for field in schema["fields"]:
            self.field(field["type"], f"{target}[{field['name']!r}]", indent, none=False)

    def made(self, result: str) -> Callable[[bytes, int], Any]:
        """The function."""
        body = "\n    ".join(self.lines)
        text = f"def decode(b, p):\n    {body}\n    return {result}\n"
        exec(compile(text, "<avro decoder>", "exec"), self.space)  # noqa: S102 - generated from our schemas
        found: Callable[[bytes, int], Any] = self.space["decode"]
        return found


def compile_decoder(schema: Schema) -> Callable[[bytes, int], dict[str, Any]]:
    """A function from bytes and the place of the body to the record; it must end the bytes.

    Null fields are left out; other values are raw, see :mod:`hub.contracts.wires`.

    Raises (the function):
        DataError: ``E-SCHEMA-BODY``, with the field's path where there is one.
    """
    names = names_of(schema)
    source = Source(names)
    source.record(schema, "d", 0)
    source.add(0, "if p != len(b): stumble[0]")
    fast = source.made("d")

    def decode(data: bytes, place: int = 0) -> dict[str, Any]:
        try:
            found: dict[str, Any] = fast(data, place)
        except STUMBLES:
            return whole(schema, data, place, names)
        return found

    return decode


def whole(schema: Schema, data: bytes, place: int, names: Names) -> dict[str, Any]:
    """A record read by the interpreter, to the end of the bytes.

    Raises:
        DataError: ``E-SCHEMA-BODY``, also for bytes that are left over.
    """
    found, end = read(schema, data, place, names)
    if end != len(data):
        raise refused("", "bytes are left over")
    value: dict[str, Any] = found
    return value


def compile_event(schema: Schema, made: Callable[..., Any], type_: str) -> Callable[..., Any]:
    """A function from bytes and the place of the body to an event.

    Args:
        schema: Event schema: the envelope, then groups, each with its sealed sibling.
        made: Takes the envelope's fields, ``type`` and ``groups`` by name.
        type_: The event type.
    """
    names = names_of(schema)
    source = Source(names)
    source.space |= {"made": made, "type_": type_}
    source.add(0, "groups = {}")
    arguments = ["type=type_", "groups=groups"]
    for field in schema["fields"]:
        name, kind = field["name"], field["type"]
        if name == "envelope":
            for attribute in resolved(kind, names)[1]["fields"]:
                target = source.fresh()
                source.field(attribute["type"], target, 0, none=True)
                arguments.append(f"{attribute['name']}={target}")
            continue
        source.add(0, "if b[p]:", "    if b[p] != 2: stumble[0]", "    p += 1")
        if name.endswith(SEALED):
            source.add(1, "g = {}")
            source.field(kind[1], "g['sealed']", 1, none=False)
        else:
            source.record(resolved(kind[1], names)[1], "g", 1)
        source.add(1, f"groups[{name!r}] = g")
        source.add(0, "else: p += 1")
    source.add(0, "if p != len(b): stumble[0]")
    return source.made(f"made({', '.join(arguments)})")
