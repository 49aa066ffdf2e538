"""Records: statements and conversions derived from the declarations in :mod:`hub.model.records`.

Scalars are columns of their own, lists and dictionaries are ``json``: nobody but the hub looks into
them, so PostgreSQL need not take them apart. Rows that were found absent are copied in, one
statement writes all changed rows of a table. Each carries the revision it was read at, so that two
transactions that both found a row absent, or read it unlocked, can never overwrite each other.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import repeat
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints

import asyncpg
import msgspec

from hub.kernel.failpoints import passed
from hub.model.records import RECORDS, Referral
from hub.model.states import State
from hub.store.arrays import literal
from hub.store.connections import ConflictError, count_of

Revisions = dict[tuple[str, Any], int]
"""(table, key) → revision of the row as read; absent rows are not in it."""

astuple = msgspec.structs.astuple
encode = msgspec.json.Encoder().encode

_EMPTY: dict[type, str] = {list: "[]", dict: "{}"}
_LITERAL = {"bigint", "boolean"}
_SCALARS = {bytes: "bytea", str: "text", int: "bigint", bool: "boolean"}


class Table:
    """One record type and its table.

    Args:
        record: A type of :data:`hub.model.records.RECORDS`.
    """

    def __init__(self, record: type[Any]) -> None:
        self.record = record
        self.name: str = record.TABLE
        self.key: tuple[str, ...] = record.KEY
        hints = get_type_hints(record)
        self.columns: tuple[str, ...] = record.__struct_fields__
        self.types = {name: _column_type(hints[name]) for name in self.columns}
        self._json = {
            name: msgspec.json.Decoder(hints[name])
            for name in self.columns
            if self.types[name] == "json"
        }
        self._decoders = [
            (self.columns.index(name), self._json[name].decode) for name in self._json
        ]
        self._single = len(self.key) == 1
        # Names come from the declarations only, never from data.
        read = [f"{name}::text" if name in self._json else name for name in self.columns]
        self.row = f"ROW({', '.join(read)}, rev)"
        """All columns as one value, for statements over several tables."""
        self.select = f"SELECT {', '.join(read)}, rev FROM {self.name}"  # noqa: S608
        self.upsert = self._upsert()
        self._keyed = attrgetter(*self.key)

    def _upsert(self) -> str:
        given = ", ".join(
            f"${number}::{self._given(name)}" for number, name in enumerate(self.columns, 1)
        )
        values = ", ".join(f"{n}::json" if n in self._json else n for n in self.columns)
        names = ", ".join(self.columns)
        changes = ", ".join(f"{n} = excluded.{n}" for n in self.columns if n not in self.key)
        return (  # names come from the declarations only
            f"INSERT INTO {self.name} ({names}, rev) SELECT {values}, rev"  # noqa: S608
            f" FROM unnest({given}, ${len(self.columns) + 1}::text::bigint[])"
            f" AS given ({names}, rev)"
            f" ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {changes}, rev = excluded.rev"
            f" WHERE {self.name}.rev = excluded.rev - 1"
        )

    def _given(self, name: str) -> str:
        kind = self.types[name]
        if kind in _LITERAL:
            return f"text::{kind}[]"
        return "text[]" if name in self._json else f"{kind}[]"

    def key_of(self, record: Any) -> tuple[Any, ...]:
        """The key of a record."""
        return (self._keyed(record),) if self._single else self._keyed(record)

    def decode(self, row: Iterable[Any]) -> tuple[Any, int]:
        """A record and its revision out of a row of :attr:`select` or :attr:`row`."""
        values = list(row)
        for index, decode in self._decoders:
            values[index] = decode(values[index])
        revision: int = values.pop()
        return self.record(*values), revision

    async def write(
        self, connection: asyncpg.Connection, records: Iterable[Any], revisions: Revisions
    ) -> None:
        """Insert or update rows in key order.

        Raises:
            ConflictError: a row is not at the revision that was read.
        """
        name, key_of = self.name, self.key_of
        new, changed, later = [], [], []
        for row in sorted(records, key=self._keyed):
            revision = revisions.get((name, key_of(row)))
            if revision is None:
                new.append(row)
            else:
                changed.append(row)
                later.append(revision + 1)
        if new:
            await self._insert(connection, new)
        if changed:
            columns = [self._column(*column) for column in self._columns(changed)]
            tag = await connection.execute(self.upsert, *columns, literal(later))
            if count_of(tag) != len(changed):
                raise ConflictError(name)

    async def _insert(self, connection: asyncpg.Connection, rows: list[Any]) -> None:
        columns = [values for _, values in self._columns(rows)]
        try:
            await connection.copy_records_to_table(
                self.name,
                records=zip(*columns, repeat(1, len(rows)), strict=True),
                columns=(*self.columns, "rev"),
            )
        except asyncpg.UniqueViolationError as error:
            raise ConflictError(self.name) from error

    def _columns(self, rows: list[Any]) -> list[tuple[str, Sequence[Any]]]:
        """Values of the rows by column, lists and dictionaries as JSON."""
        columns = zip(self.columns, zip(*map(astuple, rows), strict=True), strict=True)
        return [
            (name, [_text(value) for value in values] if name in self._json else values)
            for name, values in columns
        ]

    def _column(self, name: str, values: Sequence[Any]) -> Sequence[Any] | str:
        return literal(values) if self.types[name] in _LITERAL else values


def _text(value: Any) -> str:
    # Many rows belong to no household, or have no name yet.
    known = None if value else _EMPTY.get(type(value))
    return encode(value).decode() if known is None else known


def _column_type(hint: Any) -> str:
    if get_origin(hint) in {Union, types.UnionType}:
        (hint,) = [part for part in get_args(hint) if part is not types.NoneType]
    return _SCALARS.get(hint, "json")


@cache
def tables() -> Mapping[str, Table]:
    """Every table by name, in lock order."""
    return {record.TABLE: Table(record) for record in RECORDS}


def put_absent(
    state: State, table: Table, rows: Iterable[Iterable[Any]], revisions: Revisions
) -> list[Any]:
    """Hold loaded rows, except those the batch already holds (perhaps changed).

    Returns:
        The records now held, whether they were new or not.
    """
    held = []
    decode: Callable[[Iterable[Any]], tuple[Any, int]] = table.decode
    name, key_of = table.name, table.key_of
    for row in rows:
        record, revision = decode(row)
        key = name, key_of(record)
        if key not in revisions:
            revisions[key] = revision
            if key not in state.dirty:
                state.put(record)
        held.append(record)
    return held


async def write_dirty(connection: asyncpg.Connection, state: State, revisions: Revisions) -> None:
    """Write every changed record of a batch, one statement for each table.

    Raises:
        ConflictError: somebody else wrote one of the rows.
    """
    by_table: dict[str, list[Any]] = {}
    for (name, _key), record in state.dirty.items():
        by_table.setdefault(name, []).append(record)
    for name, table in tables().items():
        if name in by_table:
            await table.write(connection, by_table[name], revisions)
            if name == Referral.TABLE:
                passed("batch.referral", connection.terminate)
