"""Encoders compiled from a schema: one generated function that joins the pieces of a record.

The function takes the common forms only; whatever it stumbles over goes to the interpreter,
which either writes it or refuses it with the field's path.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

from hub.contracts.interpreters import MAX_ITEMS, Names, names_of, resolved, write
from hub.contracts.schemas import SEALED, Schema
from hub.contracts.wires import INT, LONG, NULL, SOME, Numbers, lengths, zigzag

STUMBLES = (TypeError, AttributeError, KeyError, IndexError, ValueError, OverflowError)
"""What a generated function raises where a value has no common form."""

_SCALARS = {"int": INT, "long": LONG}


@cache
def tables() -> dict[str, Any]:
    """The tables generated functions share: lengths, dates, numbers, pairs of seven bits."""
    pairs = [bytes((low & 127 | 128, low >> 7 | 128)) for low in range(1 << 14)]
    return {
        "P": lengths(),
        "U": lengths(SOME),
        "M": tuple(zigzag(size) for size in range(8)),
        "MU": tuple(SOME + zigzag(size) for size in range(8)),
        "I": Numbers(INT),
        "IU": Numbers(INT, SOME),
        "L": Numbers(LONG),
        "LU": Numbers(LONG, SOME),
        # An instant from 2004 to 2039 takes six bytes: three pairs of seven bits.
        "T": pairs,
        "TU": [SOME + pair for pair in pairs],
        "F": {top: bytes((top & 127 | 128, top >> 7)) for top in range(1 << 13, 1 << 14)},
        "B": {False: NULL, True: b"\x01"},
        "BU": {None: NULL, False: SOME + NULL, True: SOME + b"\x01"},
        "N": NULL,
        "S": SOME,
        "E": b"",
        "array": _array,
        "strings": _strings,
        # An index that is never there: how a generated function gives up.
        "stumble": (),
    }


def _array(value: Any, item: Callable[[Any], bytes]) -> bytes:
    if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
        raise TypeError("not a list")
    return zigzag(len(value)) + b"".join(map(item, value)) + NULL if value else NULL


def _strings(value: Any) -> bytes:
    return _array(value, _string)


def _string(value: str) -> bytes:
    data = value.encode()
    return zigzag(len(data)) + data


class Source:
    """Collects the statements of one function, the pieces it joins, and what these refer to."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.space: dict[str, Any] = dict(tables())
        self.lines: list[str] = []
        self.pieces: list[str] = []
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

    def add(self, *pieces: str) -> None:
        """Pieces of the record, in order."""
        self.pieces += pieces

    def constant(self, data: bytes) -> None:
        """Fixed bytes, merged with fixed bytes before them."""
        if self.pieces and self.pieces[-1].startswith(("b'", 'b"')):
            data = eval(self.pieces.pop(), {"__builtins__": {}}) + data  # noqa: S307 - our own literal
        self.pieces.append(repr(data))

    def field(self, schema: Schema, expression: str) -> None:
        """Statements and pieces for one value."""
        kind, full = resolved(schema, self.names)
        if kind == "union":
            inner, full = resolved(full[1], self.names)
            self._value(inner, full, expression, nullable=True)
        else:
            self._value(kind, full, expression, nullable=False)

    def _value(self, kind: str, schema: Schema, expression: str, *, nullable: bool) -> None:
        instant = isinstance(schema, dict) and schema.get("logicalType") == "timestamp-millis"
        union = "U" if nullable else ""
        if kind == "boolean":
            self.add(f"B{union}[{expression}]")
        elif instant:
            self._instant(expression, nullable=nullable)
        elif kind in _SCALARS:
            self.add(f"{'I' if kind == 'int' else 'L'}{union}[{expression}]")
        elif kind == "enum":
            self.add(f"{self._symbols(schema, nullable=nullable)}[{expression}]")
        else:
            self._sized(kind, schema, expression, nullable=nullable)

    def _symbols(self, schema: Schema, *, nullable: bool) -> str:
        head = SOME if nullable else b""
        found: dict[Any, bytes] = {
            symbol: head + zigzag(index) for index, symbol in enumerate(schema["symbols"])
        }
        return self.bind(found | {None: NULL} if nullable else found)

    def _instant(self, expression: str, *, nullable: bool) -> None:
        value = self.fresh()
        self.lines.append(f"{value} = {expression}")
        low, middle, high = f"{value} << 1 & 16383", f"{value} >> 13 & 16383", f"{value} >> 27"
        if not nullable:
            self.add(f"T[{low}]", f"T[{middle}]", f"F[{high}]")
            return
        one, two, three = self.fresh(), self.fresh(), self.fresh()
        self.lines += [
            f"if {value} is None: {one} = N; {two} = {three} = E",
            f"else: {one} = TU[{low}]; {two} = T[{middle}]; {three} = F[{high}]",
        ]
        self.add(one, two, three)

    def _sized(self, kind: str, schema: Schema, expression: str, *, nullable: bool) -> None:
        head, body = self.fresh(), self.fresh()
        table = "U" if nullable else "P"
        statements = {
            "string": f"{body} = {body}.encode(); {head} = {table}[len({body})]",
            "bytes": f"{head} = {table}[len({body})]",
            "money": f"{head} = ({body}.bit_length() >> 3) + 1; "
            f"{body} = {body}.to_bytes({head}, 'big', signed=True); "
            f"{head} = M{'U' if nullable else ''}[{head}]",
            "fixed": f"{head} = {'S' if nullable else 'E'}; "
            f"{body} = {body} if len({body}) == {schema.get('size') if kind == 'fixed' else 0} "
            "else stumble[0]",
        }
        made = statements.get(kind) or (
            f"{head} = {'S' if nullable else 'E'}; {body} = {self._nested(kind, schema, body)}"
        )
        self.lines.append(f"{body} = {expression}")
        if nullable:
            self.lines += [f"if {body} is None: {head} = N; {body} = E", f"else: {made}"]
        else:
            self.lines.append(made)
        self.add(head, body)

    def _nested(self, kind: str, schema: Schema, value: str) -> str:
        if kind == "record":
            return f"{self.bind(self._record(schema), 'r')}({value})"
        item, full = resolved(schema["items"], self.names)
        if item == "string":
            return f"strings({value})"
        return f"array({value}, {self.bind(self._record(full), 'r')})"

    def _record(self, schema: Schema) -> Callable[[Any], bytes]:
        inner = Source(self.names)
        inner.record(schema, "value")
        return inner.made("value")

    def record(self, schema: Schema, value: str) -> None:
        """Statements and pieces for the fields of a record that stands in a dict."""
        get = self.fresh("get")
        known = self.bind(frozenset(field["name"] for field in schema["fields"]))
        self.lines += [f"if not {value}.keys() <= {known}: stumble[0]", f"{get} = {value}.get"]
        for field in schema["fields"]:
            self.field(field["type"], f"{get}({field['name']!r})")

    def made(self, argument: str) -> Callable[[Any], bytes]:
        """The function."""
        body = "\n    ".join(self.lines or ["pass"])
        text = (
            f"def encode({argument}):\n    {body}\n    return join(({', '.join(self.pieces)},))\n"
        )
        self.space["join"] = b"".join
        exec(compile(text, "<avro encoder>", "exec"), self.space)  # noqa: S102 - generated from our schemas
        found: Callable[[Any], bytes] = self.space["encode"]
        return found


def compile_encoder(schema: Schema) -> Callable[[dict[str, Any]], bytes]:
    """A function from the record as a dict to its Avro body.

    Missing fields count as null; a field that the schema does not declare is refused.

    Raises (the function):
        DataError: ``E-SCHEMA-BODY`` with the path of the field that does not fit.
    """
    names = names_of(schema)
    source = Source(names)
    source.record(schema, "value")
    fast = source.made("value")

    def encode(value: dict[str, Any]) -> bytes:
        try:
            return fast(value)
        except STUMBLES:
            return write(schema, value, names)

    return encode


def compile_variant(
    schema: Schema, present: Collection[str], head: bytes, required: Collection[str]
) -> Callable[[Any], bytes]:
    """A function for events that carry exactly these groups; absent ones cost nothing.

    Args:
        schema: Event schema: the envelope, then groups, each with its sealed sibling.
        present: The groups there.
        head: Bytes before the body.
        required: Groups without which only an annulment is written.
    """
    names = names_of(schema)
    fields = {field["name"]: field["type"] for field in schema["fields"]}
    if not set(present) <= fields.keys():
        raise KeyError("a group that is not declared")
    source = Source(names)
    source.constant(head)
    if not set(required) <= set(present):
        source.lines.append("if event.lifecycle != 'annulled': stumble[0]")
    source.lines.append("groups = event.groups")
    for attribute in resolved(fields.pop("envelope"), names)[1]["fields"]:
        source.field(attribute["type"], f"event.{attribute['name']}")
    for name, schema_of in fields.items():
        if name not in present:
            source.constant(NULL)
            continue
        source.constant(SOME)
        if name.endswith(SEALED):
            source.field(schema_of[1], f"groups[{name!r}]['sealed']")
        else:
            group = source.fresh("g")
            source.lines.append(f"{group} = groups[{name!r}]")
            source.record(resolved(schema_of[1], names)[1], group)
    return source.made("event")
