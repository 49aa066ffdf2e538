"""Decoders compiled from a schema: one generated function that walks the bytes once.

The function takes the common forms only; whatever it stumbles over goes to the interpreter,
which either reads it or refuses it with the field's path. A place beyond the end is found at
the end: places only grow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from hub.contracts.encoders import STUMBLES
from hub.contracts.interpreters import MAX_ITEMS, Names, names_of, read, resolved
from hub.contracts.schemas import SEALED, Schema
from hub.contracts.wires import Dates, Instants, Words, number, refused, span

_RUN = 4

Reader = Callable[[bytes, int], tuple[Any, int]]


@cache
def tables() -> dict[str, Any]:
    """The tables generated functions share.

    X and Y parts of an instant, W texts that repeat, R lengths, D dates, B truth.
    """
    # An odd number would be negative: the interpreter's business.
    low = {bytes((n & 127 | 128, n >> 7 | 128)): n >> 1 for n in range(0, 1 << 14, 2)}
    return {
        "X": low,
        "Y": Instants(),
        "W": Words(),
        # First byte → length and what stands before the text; 0: further bytes, or negative.
        "R0": tuple(0 if n & 129 else (n >> 1) + 1 for n in range(256)),
        "R1": tuple(0 if n & 129 else (n >> 1) + 2 for n in range(256)),
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
        self.add(indent, "if b[p] == 2:")
        if kind == "string":
            self._text(_form(kind, full), target, indent + 1, before=1)
        else:
            self.add(indent + 1, "p += 1")
            self._value(kind, full, target, indent + 1)
        self.add(indent, "elif b[p]: stumble[0]")
        self.add(indent, f"else: p += 1; {target} = None" if none else "else: p += 1")

    def _value(self, kind: str, schema: Schema, target: str, indent: int) -> None:
        logical = schema.get("logicalType") if isinstance(schema, dict) else None
        if kind in {"string", "bytes", "money"}:
            self._text(_form(kind, schema), target, indent, before=0)
        elif logical == "timestamp-millis":
            self.add(indent, f"{target} = X[b[p:p + 2]] + Y[b[p + 2:p + 6]]; p += 6")
        elif logical == "date":
            self.add(indent, f"{target}, n = D[b[p:p + 3]]; p += n")
        else:
            self._other(kind, schema, target, indent)

    def _text(self, form: str, target: str, indent: int, *, before: int) -> None:
        # ``before`` bytes stand between the place and the length.
        short, long = form.format(f"b[p + {before + 1}:q]"), form.format("b[p:q]")
        at = f"p + {before}" if before else "p"
        self.add(
            indent,
            f"if n := R{before}[b[{at}]]: q = p + n; {target} = {short}; p = q",
            f"else: p, q = span(b, {at}); {target} = {long}; p = q",
        )

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

    def envelope(self, fields: list[Any]) -> dict[str, str]:
        """Statements that read fields into variables; a long run of nulls is taken at once.

        Returns:
            Field → variable.
        """
        found: dict[str, str] = {}
        for nullable, run in groupby(fields, lambda field: isinstance(field["type"], list)):
            part = [(field, self.fresh()) for field in run]
            depth = 0
            if nullable and len(part) >= _RUN:
                zeros = self.bind(bytes(len(part)))
                targets = " = ".join(target for _, target in part)
                self.add(
                    0, f"if b[p:p + {len(part)}] == {zeros}: {targets} = None; p += {len(part)}"
                )
                self.add(0, "else:")
                depth = 1
            for field, target in part:
                self.field(field["type"], target, depth, none=True)
            found |= {field["name"]: target for field, target in part}
        return found

    def group(self, name: str, schema: Schema, left: int) -> None:
        """Statements that read a group, or pass a null; inside a loop that ends with the bytes.

        Args:
            name: Of the group or its sealed sibling.
            schema: Its type without the null.
            left: Fields after it; where as many bytes are left, all zero, the loop is left.
        """
        self.add(1, "if b[p]:", "    if b[p] != 2: stumble[0]", "    p += 1")
        if name.endswith(SEALED):
            self.add(2, "g = {}")
            self.field(schema, "g['sealed']", 2, none=False)
        else:
            self.record(resolved(schema, self.names)[1], "g", 2)
        self.add(2, f"groups[{name!r}] = g")
        if left:
            zeros = self.bind(bytes(left))
            self.add(2, f"if b[p:] == {zeros}: p += {left}; break")
        self.add(1, "else: p += 1")

    def made(self, result: str) -> Callable[[bytes, int], Any]:
        """The function."""
        body = "\n    ".join(self.lines)
        text = f"def decode(b, p):\n    {body}\n    return {result}\n"
        exec(compile(text, "<avro decoder>", "exec"), self.space)  # noqa: S102 - generated from our schemas
        found: Callable[[bytes, int], Any] = self.space["decode"]
        return found


def _form(kind: str, schema: Schema) -> str:
    if isinstance(schema, dict) and "code" in schema:
        return "W[{}]"
    return {"string": "{}.decode()", "bytes": "{}"}.get(kind, "amount({}, 'big', signed=True)")


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


def compile_event(
    schema: Schema, made: Callable[..., Any], order: Sequence[str], event_type: str
) -> Callable[[bytes, int], Any]:
    """A function from bytes and the place of the body to an event.

    Args:
        schema: Event schema: the envelope, then groups, each with its sealed sibling.
        made: Takes ``order``; by position, which is a microsecond faster than by name.
        order: The envelope's fields, ``type`` and ``groups``, as ``made`` takes them.
        event_type: The event type.
    """
    names = names_of(schema)
    source = Source(names)
    source.space |= {"made": made, "event_type": event_type}
    variables = {"type": "event_type", "groups": "groups"}
    envelope, *fields = schema["fields"]
    source.add(0, "groups = {}")
    variables |= source.envelope(resolved(envelope["type"], names)[1]["fields"])
    source.add(0, "while True:")
    for left, field in zip(range(len(fields) - 1, -1, -1), fields, strict=True):
        source.group(field["name"], field["type"][1], left)
    source.add(1, "break")
    source.add(0, "if p != len(b): stumble[0]")
    if set(order) != variables.keys():
        source.lines = ["stumble[0]"]
    return source.made(f"made({', '.join(variables.get(name, 'None') for name in order)})")
