"""Tables and views of a department's database: reflected columns, reading by pages.

Names come from the catalogue of the database and are quoted by SQLAlchemy, values are bound;
no text of a manifest becomes SQL. PostgreSQL is what is tried; the statements are standard.
"""

from __future__ import annotations

import base64
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    MetaData,
    Numeric,
    Select,
    Table,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hub.kernel.clocks import SHANGHAI
from hub.kernel.errors import ConfigurationError
from hub.sdk.ways import ViewOptions

Row = Mapping[str, Any]

_LIMIT = "60s"
_DAY = timedelta(days=1)


def source_engine(dsn: str) -> AsyncEngine:
    """An engine that only reads, with one connection.

    Args:
        dsn: ``postgresql://…``; the driver is chosen here.
    """
    return create_async_engine(
        dsn.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=1,
        max_overflow=1,
        pool_pre_ping=True,
        # Keys of rows must not reach a log line.
        hide_parameters=True,
        connect_args={
            "timeout": 10,
            "server_settings": {
                "application_name": "hub-connector",
                "default_transaction_read_only": "on",
                "statement_timeout": _LIMIT,
                "idle_in_transaction_session_timeout": _LIMIT,
            },
        },
    )


class Order(Protocol):
    """Arithmetic of the column that grows."""

    def dump(self, value: Any) -> Any:
        """The value as JSON can hold it."""

    def load(self, value: Any) -> Any:
        """The value back; None stays None."""

    def behind(self, end: Any, least: Any) -> Any:
        """Where the next poll starts, when this one has read up to ``end``."""


class SequenceOrder:
    """Numbers of a sequence, given before the commit.

    Args:
        overlap: Numbers that transactions may hold back at most.
    """

    def __init__(self, overlap: int) -> None:
        self._overlap = overlap

    def dump(self, value: Any) -> str:
        """The number as text, as it may be a decimal."""
        return str(value)

    def load(self, value: Any) -> Any:
        """The number."""
        return None if value is None else int(value)

    def behind(self, end: Any, least: Any) -> Any:
        """The overlap behind the end, never back."""
        start = int(end) - self._overlap
        return start if least is None else max(start, least)


class TimeOrder:
    """Timestamps or dates, taken at the beginning of a transaction.

    Args:
        overlap: The department's longest transaction.
        started: The source's time before the poll: what was open then may commit any row up to
            an overlap before it, and not earlier ones.
    """

    def __init__(self, overlap: timedelta, started: datetime | date) -> None:
        # A date says nothing about the hour, so it may be a whole day older than it looks.
        self._overlap = overlap if isinstance(started, datetime) else overlap + _DAY
        self._started = started

    def dump(self, value: Any) -> str:
        """ISO 8601."""
        return str(value.isoformat())

    def load(self, value: Any) -> Any:
        """The instant or date, of the column's kind."""
        return None if value is None else type(self._started).fromisoformat(value)

    def behind(self, end: Any, least: Any) -> Any:
        """The overlap behind the end or the poll's start, whichever is earlier; never back."""
        try:
            start = min(end, self._started) - self._overlap
        except OverflowError:
            return least
        return start if least is None else max(start, least)


class SourceTable:
    """One table or view.

    Args:
        engine: Of the department's database.
        options: Of the manifest.
    """

    def __init__(self, engine: AsyncEngine, options: ViewOptions) -> None:
        self._engine = engine
        self._options = options
        self._reflected: Table | None = None

    async def reflect(self) -> None:
        """Read the columns from the catalogue.

        Raises:
            ConfigurationError: the table or a column of the manifest is not there.
        """
        schema, _, name = self._options.table.rpartition(".")
        try:
            async with self._engine.connect() as connection:
                self._reflected = await connection.run_sync(
                    lambda sync: Table(name, MetaData(), schema=schema or None, autoload_with=sync)
                )
        except NoSuchTableError:
            raise _not_there(f"table or view {self._options.table}") from None
        for column in (self._options.order, *self._options.key):
            if column not in self._reflected.c:
                raise _not_there(f"column {column} of {self._options.table}")

    async def order(self) -> Order:
        """The order column's arithmetic, as of the source's time now.

        Raises:
            ConfigurationError: the column is not of the declared kind.
        """
        kind = self._order.type
        if self._options.order_kind == "sequence":
            if not isinstance(kind, Numeric) and kind.python_type is not int:
                raise _not_there(f"number in column {self._options.order}")
            return SequenceOrder(self._options.overlap_rows)
        overlap = timedelta(milliseconds=self._options.overlap_ms)
        if isinstance(kind, DateTime):
            now = func.clock_timestamp() if kind.timezone else func.localtimestamp()
            return TimeOrder(overlap, await self._scalar(select(now)))
        if isinstance(kind, Date):
            return TimeOrder(overlap, await self._scalar(select(func.current_date())))
        raise _not_there(f"timestamp in column {self._options.order}")

    async def after(self, start: Any, page: Sequence[Any] | None) -> list[Row]:
        """One page, in the order of the order column and the key.

        Args:
            start: First value of the order column; None: from the beginning.
            page: Order and key of the last row of the page before; None: the first page.
        """
        columns = [self._order, *self._keys]
        query = select(self._table).where(self._order.is_not(None)).order_by(*columns)
        if page is not None:
            query = query.where(_beyond(columns, page))
        elif start is not None:
            query = query.where(self._order >= start)
        return await self._rows(query.limit(self._options.page))

    async def everything(self) -> AsyncIterator[list[Row]]:
        """All rows by pages in the order of the key, at last those without a whole key."""
        query = select(self._table).order_by(*self._keys).limit(self._options.page)
        whole = query.where(*(column.is_not(None) for column in self._keys))
        rows = await self._rows(whole)
        while rows:
            yield rows
            last = [rows[-1][name] for name in self._options.key]
            rows = await self._rows(whole.where(_beyond(self._keys, last)))
        broken = select(self._table).where(or_(*(column.is_(None) for column in self._keys)))
        if rows := await self._rows(broken):
            yield rows

    @property
    def _table(self) -> Table:
        if self._reflected is None:
            raise RuntimeError("A table is reflected before it is read.")
        return self._reflected

    @property
    def _order(self) -> Column[Any]:
        return self._table.c[self._options.order]

    @property
    def _keys(self) -> list[Column[Any]]:
        return [self._table.c[name] for name in self._options.key]

    async def _rows(self, query: Select[Any]) -> list[Row]:
        async with self._engine.connect() as connection:
            result = await connection.execute(query)
            names = [str(name) for name in result.keys()]  # noqa: SIM118 - a method, no dict
            return [dict(zip(names, row, strict=True)) for row in result]

    async def _scalar(self, query: Select[Any]) -> Any:
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).scalar_one()


def _beyond(columns: Sequence[Column[Any]], values: Sequence[Any]) -> Any:
    bound = [literal(value, column.type) for column, value in zip(columns, values, strict=True)]
    return tuple_(*columns) > tuple_(*bound)


def _not_there(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"The department's database shows no {what}.",
        hint="Correct the manifest, or ask the department for the right to read it.",
        message_zh=f"部门数据库中找不到({what});请更正清单,或请部门授予读取权限。",
    )


def readable(row: Row) -> dict[str, Any]:
    """A row as a JSON object of text, numbers and None; decimals as text, exact."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    match value:
        case None | str() | bool() | int() | list() | dict():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case datetime() | date() | time():
            return _moment(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
    return str(value)


def _moment(value: datetime | date | time) -> str:
    if isinstance(value, datetime) and value.tzinfo:
        # PostgreSQL's infinity is the last instant there is, in every zone.
        with suppress(OverflowError):
            value = value.astimezone(SHANGHAI)
    return value.isoformat()
