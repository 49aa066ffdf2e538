"""Encoders compiled from a schema: one generated function that joins the pieces of a record.

The function takes the common forms only; whatever it stumbles over goes to the interpreter,
which either writes it or refuses it with the field's path.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

from hub.contracts.interpreters import MAX_ITEMS, Names, names_of, resolved, write
from hub.contracts.schemas import SEALED, Schema
from hub.contracts.wires import INT, LONG, NULL, SOME, Numbers, Pieces, Texts, lengths, zigzag

STUMBLES = (TypeError, AttributeError, KeyError, IndexError, ValueError, OverflowError)
"""What a generated function raises where a value has no common form."""

_RUN = 4
_NAMED = 4096
_SCALARS = {"int": INT, "long": LONG}


@cache
def tables() -> dict[str, Any]:
    """The tables generated functions share; ``U`` marks those of ``["null", T]``.

    C texts that repeat, P lengths, M lengths of money, I and L numbers, T and F thirds of an
    instant, B truth, N null, S some, E nothing.
    """
    pairs = [bytes((low & 127 | 128, low >> 7 | 128)) for low in range(1 << 14)]
    return {
        "C": Texts(),
        "CU": Texts(SOME),
        "P": lengths(),
        "PU": lengths(SOME),
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
    # What the hub itself names again and again comes as a tuple; data come as lists, and are
    # not kept.
    return _named(value) if type(value) is tuple else _array(value, _string)


@lru_cache(_NAMED)
def _named(value: tuple[str, ...]) -> bytes:
    return _array(value, _string)


def _string(value: str) -> bytes:
    data = value.encode()
    return zigzag(len(data)) + data


def _repeats(kind: str, schema: Schema) -> bool:
    """Whether a field has few values and names nobody: marked text, symbols, truth, days."""
    marked = isinstance(schema, dict)
    return (
        kind in {"boolean", "enum"}
        or (kind == "string" and marked)
        or (kind == "int" and marked and schema.get("logicalType") == "date")
    )


def repeats_whole(schema: Schema, names: Names) -> bool:
    """Whether a group has few values as a whole and names nobody, so that keeping it pays."""
    kinds = [resolved(field["type"][1], names) for field in schema["fields"]]
    return all(_repeats(kind, full) for kind, full in kinds)


def _optional(field: Any, made: Mapping[str, Any]) -> bool:
    return isinstance(field["type"], list) and field["name"] not in made


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

    def put(self, pieces: Iterable[str | bytes]) -> None:
        """Pieces in order, expressions and fixed bytes."""
        for piece in pieces:
            if isinstance(piece, bytes):
                self.constant(piece)
            else:
                self.add(piece)

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
        elif kind == "string" and isinstance(schema, dict):
            self.add(f"C{union}[{expression}]")
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
        if kind in {"string", "bytes", "money"}:
            self._text(kind, expression, nullable=nullable)
            return
        body = self.fresh()
        self.lines.append(f"{body} = {expression}")
        if kind == "fixed":
            made = f"{body} if len({body}) == {schema['size']} else stumble[0]"
        else:
            made = self._nested(kind, schema, body)
        if nullable:
            self.lines.append(f"{body} = N if {body} is None else S + ({made})")
        else:
            self.lines.append(f"{body} = {made}")
        self.add(body)

    def _text(self, kind: str, expression: str, *, nullable: bool) -> None:
        body = self.fresh()
        head = {
            "string": f"P[len({body} := {body}.encode())]",
            "bytes": f"P[len({body})]",
            "money": f"M[len({body} := {body}.to_bytes(({body}.bit_length() >> 3) + 1, "
            "'big', signed=True))]",
        }[kind]
        if nullable:
            # Null leaves None in the variable, which adds nothing after its own byte.
            self.add(f"(N if ({body} := {expression}) is None else {head.replace('[', 'U[', 1)})")
            self.add(f"({body} or E)")
        elif kind == "string":
            self.add(f"P[len({body} := ({expression}).encode())]", body)
        else:
            self.lines.append(f"{body} = {expression}")
            self.add(head, body)

    def _nested(self, kind: str, schema: Schema, value: str) -> str:
        if kind == "record":
            return f"{self.bind(compile_group(schema, self.names), 'r')}({value})"
        item, full = resolved(schema["items"], self.names)
        if item == "string":
            return f"strings({value})"
        return f"array({value}, {self.bind(compile_group(full, self.names), 'r')})"

    def record(self, schema: Schema, value: str) -> None:
        """Statements and pieces for the fields of a record that stands in a dict."""
        get = self.fresh("get")
        known = self.bind(frozenset(field["name"] for field in schema["fields"]).issuperset)
        self.lines += [f"if not {known}({value}): stumble[0]", f"{get} = {value}.get"]
        for field in schema["fields"]:
            self.field(field["type"], f"{get}({field['name']!r})")

    def group(self, schema: Schema, value: str) -> None:
        """Statements and pieces for a group; one that repeats as a whole is looked up whole."""
        if not repeats_whole(schema, self.names):
            self.record(schema, value)
            return
        pieces = self.bind(Pieces(compile_group(schema, self.names)), "g")
        self.add(f"{pieces}[(*{value}, *{value}.values())]")

    def envelope(
        self,
        fields: list[Any],
        values: Mapping[str, str],
        made: Mapping[str, Sequence[str | bytes]] | None = None,
    ) -> None:
        """Statements and pieces for attributes; a long run of None is one piece.

        Args:
            fields: Of the envelope's schema, in order.
            values: Attribute → expression of its value.
            made: Attribute → pieces that are its bytes already, for those without a value.
        """
        ready = made or {}
        for nullable, run in groupby(fields, lambda field: _optional(field, ready)):
            part = list(run)
            if not nullable or len(part) < _RUN:
                self._attributes(part, values, ready)
                continue
            before, self.pieces = self.pieces, []
            self._attributes(part, values, ready)
            nulls = " is ".join(values[field["name"]] for field in part)
            piece = (
                f"{bytes(len(part))!r} if {nulls} is None else join(({', '.join(self.pieces)},))"
            )
            self.pieces = [*before, f"({piece})"]

    def _attributes(
        self,
        fields: list[Any],
        values: Mapping[str, str],
        made: Mapping[str, Sequence[str | bytes]],
    ) -> None:
        for field in fields:
            name = field["name"]
            if name in made:
                self.put(made[name])
            else:
                self.field(field["type"], values[name])

    def made(self, arguments: str, answer: str = "{}") -> Callable[..., Any]:
        """The function.

        Args:
            arguments: As in its ``def``.
            answer: Expression it returns; braces stand for the bytes of all pieces.
        """
        body = "\n    ".join(self.lines or ["pass"])
        joined = answer.format(f"join(({', '.join(self.pieces)},))")
        text = f"def encode({arguments}):\n    {body}\n    return {joined}\n"
        self.space["join"] = b"".join
        exec(compile(text, "<avro encoder>", "exec"), self.space)  # noqa: S102 - generated from our schemas
        found: Callable[..., Any] = self.space["encode"]
        return found


def compile_group(schema: Schema, names: Names) -> Callable[[Any], bytes]:
    """A function from one record that stands in a dict, e.g. a group, to its bytes.

    It raises :data:`STUMBLES` for what has no common form.
    """
    source = Source(names)
    source.record(schema, "value")
    return source.made("value")


def compile_encoder(schema: Schema) -> Callable[[dict[str, Any]], bytes]:
    """A function from the record as a dict to its Avro body.

    Missing fields count as null; a field that the schema does not declare is refused.

    Raises (the function):
        DataError: ``E-SCHEMA-BODY`` with the path of the field that does not fit.
    """
    names = names_of(schema)
    fast = compile_group(schema, names)

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
    attributes = resolved(fields.pop("envelope"), names)[1]["fields"]
    source.envelope(attributes, {field["name"]: f"event.{field['name']}" for field in attributes})
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
            if name in required:
                source.lines.append(f"if not {group}: stumble[0]")
            source.group(resolved(schema_of[1], names)[1], group)
    return source.made("event")


def compile_copy(
    schema: Schema, present: Collection[str], head: bytes, constants: Mapping[str, Any]
) -> Callable[[Any], bytes]:
    """A function for copies that hold exactly these parts; absent ones cost nothing.

    Args:
        schema: Copy schema: the envelope, then references, groups and bodies, all of them nullable.
        present: Names of the parts there, the envelope among them.
        head: Bytes before the body.
        constants: Attributes of the envelope that are the same in all of these copies.

    Raises:
        DataError: a constant does not fit.
        KeyError: a part that is not declared.
    """
    names = names_of(schema)
    fields = {field["name"]: field["type"] for field in schema["fields"]}
    if not set(present) <= fields.keys():
        raise KeyError("a part that is not declared")
    source = Source(names)
    source.constant(head)
    source.lines.append("get = value['envelope'].get")
    attributes = resolved(fields.pop("envelope"), names)[1]["fields"]
    source.envelope(
        attributes,
        {field["name"]: f"get({field['name']!r})" for field in attributes},
        {
            field["name"]: (write(field["type"], constants[field["name"]], names),)
            for field in attributes
            if field["name"] in constants
        },
    )
    for name, (_, schema_of) in fields.items():
        kind, full = resolved(schema_of, names)
        if name not in present:
            source.constant(NULL)
        elif kind == "record":
            source.constant(SOME)
            part = source.fresh("g")
            source.lines.append(f"{part} = value[{name!r}]")
            source.group(full, part)
        else:
            source.field(["null", schema_of], f"value[{name!r}]")
    return source.made("value")
