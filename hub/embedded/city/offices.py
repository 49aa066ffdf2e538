"""Offices: the departments' own systems of a synthetic city, on this machine.

A department does not know the hub: it writes a row into its own table, drops a workbook into a
folder, puts a message on its own topic or calls an address. :class:`Offices` does that for a
record, by the way its manifest names, so whatever reaches the hub came through a connector.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, get_args

import asyncpg
import httpx
import msgspec
import orjson
import xlsxwriter
from aiokafka import AIOKafkaProducer

from hub.sdk.manifests import Item, Manifest
from hub.sdk.mappings import load_mapper
from hub.sdk.ways import Way

T = TypeVar("T")
Record = dict[str, Any]
KeyOf = Callable[[str], str]
"""Connector id → its API key at the gateway."""


@dataclass(slots=True)
class Offices:
    """Use it as a context manager.

    Attributes:
        manifests: Connector id → manifest.
        database: DSN of the exchange database where the departments' tables stand.
        kafka: Bootstrap servers of the departments' queues.
        drops: Folder with one drop folder per connector.
        gateway: Address of the hub's gateway.
        key_of: API key of a connector.
        prefix: Put before the names of the departments' topics.
        client: Calls the gateway; None: a client of its own.
    """

    manifests: dict[str, Manifest]
    database: str
    kafka: str
    drops: Path
    gateway: str
    key_of: KeyOf
    prefix: str = ""
    client: httpx.AsyncClient | None = None
    _pool: asyncpg.Pool[asyncpg.Record] | None = field(default=None, init=False)
    _producer: AIOKafkaProducer | None = field(default=None, init=False)
    _client: httpx.AsyncClient | None = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(self.database, min_size=1, max_size=2)
        self._producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all", linger_ms=2)
        await self._producer.start()
        self._client = self.client or httpx.AsyncClient(
            base_url=self.gateway, timeout=10, trust_env=False
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client and self._client is not self.client:
            await self._client.aclose()
        if self._producer:
            await self._producer.stop()
        if self._pool:
            await self._pool.close()

    async def enter(self, connector: str, item: str, *records: Record, way: str = "") -> None:
        """Enter records in the department's own system.

        Args:
            connector: Connector id.
            item: Item id.
            records: Rows, messages or bodies.
            way: One of the item's ways; empty: the usual one.

        Raises:
            httpx.HTTPStatusError: the gateway refused one.
        """
        found = self.manifests[connector].item(item)
        await self._enterings()[Way(way or found.way)](found, records)

    def _enterings(self) -> dict[Way, Callable[[Item, Iterable[Record]], Awaitable[None]]]:
        return {
            Way.VIEW: self._insert,
            Way.FILE: self._drop,
            Way.QUEUE: self._enqueue,
            Way.REST: self._post,
            Way.MANUAL: self._post,
        }

    def folder(self, connector: str) -> Path:
        """Where a department drops its files."""
        return self.drops / connector / "inbox"

    async def _insert(self, item: Item, records: Iterable[Record]) -> None:
        table = _quoted(_there(item.view).table)
        async with _there(self._pool).acquire() as connection, connection.transaction():
            for record in records:
                names = ", ".join(map(_quoted, record))
                places = ", ".join(f"${number + 1}" for number in range(len(record)))
                await connection.execute(
                    f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - quoted names
                    *record.values(),
                )

    async def _drop(self, item: Item, records: Iterable[Record]) -> None:
        rows = list(records)
        self.drop_workbook(item.connector, rows, _file_name(item, rows))

    def drop_workbook(self, connector: str, rows: list[Record], name: str) -> Path:
        """Put a workbook (``.xlsx``) or a CSV file in GB18030 (``.csv``) into the drop folder."""
        folder = self.folder(connector)
        folder.mkdir(parents=True, exist_ok=True)
        headings = list(dict.fromkeys(heading for row in rows for heading in row))
        content = (_csv if name.endswith(".csv") else _xlsx)(headings, rows)
        # Written beside and renamed, as a careful office's export does.
        partial = folder / f".{name}.part"
        partial.write_bytes(content)
        return partial.rename(folder / name)

    async def _enqueue(self, item: Item, records: Iterable[Record]) -> None:
        topic = self.prefix + _there(item.queue).topic
        for record in records:
            await _there(self._producer).send_and_wait(topic, orjson.dumps(record))

    async def _post(self, item: Item, records: Iterable[Record]) -> None:
        for record in records:
            answer = await _there(self._client).post(
                f"/in/{item.connector}/{item.id}",
                content=orjson.dumps(record),
                headers={
                    "authorization": f"Bearer {self.key_of(item.connector)}",
                    "content-type": "application/json",
                },
            )
            answer.raise_for_status()


async def create_tables(manifests: dict[str, Manifest], database: str) -> None:
    """Make the departments' tables, with the columns their mappings read.

    Args:
        manifests: Connector id → manifest.
        database: DSN of the exchange database; tables that exist stay as they are.
    """
    connection = await asyncpg.connect(database)
    try:
        for manifest in manifests.values():
            for item in manifest.items:
                if item.view is not None:
                    await connection.execute(_table(manifest, item))
    finally:
        await connection.close()


def queue_topics(manifests: dict[str, Manifest], prefix: str = "") -> list[str]:
    """Topics of the departments' own queues."""
    return [
        prefix + item.queue.topic
        for manifest in manifests.values()
        for item in manifest.items
        if item.queue is not None
    ]


def _table(manifest: Manifest, item: Item) -> str:
    view = _there(item.view)
    columns = {
        found.encode_name: _column(found.type)
        for found in msgspec.structs.fields(load_mapper(manifest, item).raw)
    }
    if view.order_kind == "sequence":
        columns[view.order] = "bigint GENERATED ALWAYS AS IDENTITY"
    else:
        columns[view.order] = "timestamptz NOT NULL DEFAULT clock_timestamp()"
    declared = ", ".join(f"{_quoted(name)} {kind}" for name, kind in columns.items())
    table, order = _quoted(view.table), _quoted(view.order)
    index = _quoted(f"{view.table}_{view.order}")
    return (
        f"CREATE TABLE IF NOT EXISTS {table} ({declared});"
        f"CREATE INDEX IF NOT EXISTS {index} ON {table} ({order})"
    )


def _column(kind: Any) -> str:
    kinds = set(get_args(kind)) or {kind}
    return "bigint" if int in kinds and str not in kinds else "text"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _file_name(item: Item, rows: list[Record]) -> str:
    number = zlib.crc32(msgspec.json.encode(rows))
    return f"{_there(item.file).pattern.replace('*', '')}-{number}.xlsx"


def _there(found: T | None) -> T:
    if found is None:
        raise RuntimeError("Offices are used inside 'async with', by the ways an item has.")
    return found


def _xlsx(headings: list[str], rows: list[Record]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet()
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading)
        for number, row in enumerate(rows, 1):
            sheet.write_string(number, column, str(row.get(heading, "")))
    book.close()
    return buffer.getvalue()


def _csv(headings: list[str], rows: list[Record]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, headings, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("gb18030")
