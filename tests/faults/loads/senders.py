"""Senders: how departments hand their records over, in batches, one in flight for each lane."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import asyncpg
import httpx
import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from tests.faults.loads.facts import Move
from tests.faults.loads.ledgers import Outcome
from tests.faults.sites import Site

_TIMEOUT = 30.0
_CUT = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # A server that stops amid a batch leaves the client's protocol between two states.
    asyncpg.InternalClientError,
    TimeoutError,
)
"""What a database that stops, or a line that is cut, looks like."""
_QUEUES = {
    "civil-affairs/categories": "mz.shjz.category",
    "civil-affairs/decisions": "mz.shjz.decision",
    "civil-affairs/households": "mz.shjz.household",
    "hospital/encounters": "his.fsi",
}
_TABLES = {
    "hrss/employment": "就业失业登记表",
    "hrss/insurance": "社保状态变更表",
    "medical-insurance/settlements": "费用结算表",
    "health/admissions": "住院登记表",
}


class Sender(Protocol):
    """Hands records over and tells what became of each."""

    async def send(self, moves: Sequence[Move]) -> list[Outcome]:
        """Send in order; the outcome of each."""

    async def close(self) -> None:
        """Let go of connections."""


class RestSender:
    """Calls the gateway with arrays of records; a 202 is the acknowledgement.

    Args:
        site: Where the gateway is.
        place: ``connector/item``.
    """

    def __init__(self, site: Site, place: str) -> None:
        connector = place.partition("/")[0]
        key = site.keys.get(f"department:{connector}", "")
        self._place = place
        self._client = httpx.AsyncClient(
            base_url=site.gateway,
            timeout=_TIMEOUT,
            trust_env=False,
            headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
        )

    async def send(self, moves: Sequence[Move]) -> list[Outcome]:
        """Post one array."""
        body = b"[%s]" % b",".join(_body(move) for move in moves)
        try:
            answer = await self._client.post(f"/in/{self._place}", content=body)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            await asyncio.sleep(0.2)
            return ["failed"] * len(moves)
        except httpx.HTTPError:
            await asyncio.sleep(0.2)
            return ["unknown"] * len(moves)
        if answer.status_code >= 500:
            return ["unknown"] * len(moves)
        if answer.status_code not in {202, 422}:
            await asyncio.sleep(0.2)
            return ["failed"] * len(moves)
        rows = {row["row"]: row["status"] for row in answer.json().get("rows", ())}
        return ["acked" if rows.get(n) == 202 else "failed" for n in range(len(moves))]

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()


class QueueSender:
    """Writes to the department's own topic; the brokers' answer is the acknowledgement.

    Args:
        site: Where the brokers are.
        place: ``connector/item``.
    """

    def __init__(self, site: Site, place: str) -> None:
        connector = place.partition("/")[0]
        self._topic = site.queues.get(place) or _QUEUES.get(place) or site.queues[connector]
        self._producer = Producer(
            {
                "bootstrap.servers": site.direct,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.timeout.ms": 120_000,
                "log_level": 0,
            }
        )

    async def send(self, moves: Sequence[Move]) -> list[Outcome]:
        """Write in order and wait for every answer."""
        outcomes: list[Outcome] = ["unknown"] * len(moves)

        def answered(number: int) -> object:
            def note(error: KafkaError | None, _message: Message) -> None:
                if error is None:
                    outcomes[number] = "acked"

            return note

        for number, move in enumerate(moves):
            try:
                self._producer.produce(
                    self._topic, value=_body(move), partition=0, on_delivery=answered(number)
                )
            except (BufferError, KafkaException):
                outcomes[number:] = ["failed"] * (len(moves) - number)
                break
        await asyncio.to_thread(self._producer.flush)
        return outcomes

    async def close(self) -> None:
        """Hand over what is left."""
        await asyncio.to_thread(self._producer.flush, 10)


class ViewSender:
    """Inserts rows into the department's own table; the commit is the acknowledgement.

    Args:
        site: Where the department's database is.
        place: ``connector/item``.
    """

    def __init__(self, site: Site, place: str) -> None:
        self._dsn = site.exchange
        self._table = _TABLES[place]
        self._connection: asyncpg.Connection | None = None

    async def send(self, moves: Sequence[Move]) -> list[Outcome]:
        """Insert all rows in one transaction."""
        rows = [move.record for move in moves if isinstance(move.record, dict)]
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self._dsn, timeout=_TIMEOUT)
        except _CUT:
            await asyncio.sleep(0.2)
            return ["failed"] * len(moves)
        names = list(rows[0])
        columns = ", ".join(f'"{name}"' for name in names)
        places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
        insert = f'INSERT INTO "{self._table}" ({columns}) VALUES ({places})'  # noqa: S608 - own names
        try:
            # One implicit transaction for all rows.
            await self._connection.executemany(insert, [list(row.values()) for row in rows])
        except _CUT:
            # Whatever state it is in, this connection is not used again.
            self._connection.terminate()
            return ["unknown"] * len(moves)
        return ["acked"] * len(moves)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            await self._connection.close(timeout=5)


class FileSender:
    """Drops a CSV file in GB18030; the rename is the acknowledgement.

    Args:
        site: Where the drop folders are.
        place: ``connector/item``.
        run: Part of the files' names.
    """

    def __init__(self, site: Site, place: str, run: str) -> None:
        self._folder = Path(site.drops[place.partition("/")[0]]) / "inbox"
        self._numbers = itertools.count(1)
        self._run = run

    async def send(self, moves: Sequence[Move]) -> list[Outcome]:
        """One file with a row for each."""
        rows = [move.record for move in moves if isinstance(move.record, dict)]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        name = f"名单-{self._run}-{next(self._numbers)}.csv"
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f".{name}.part"
        partial.write_bytes(text.getvalue().encode("gb18030"))
        # The marker tells that the file is whole the moment it appears.
        (self._folder / f"{name}.ok").touch()
        partial.rename(self._folder / name)
        return ["acked"] * len(moves)

    async def close(self) -> None:
        """Nothing is held."""


def sender(site: Site, way: str, place: str, run: str) -> Sender:
    """What carries the facts of a place."""
    if way == "rest":
        return RestSender(site, place)
    if way == "queue":
        return QueueSender(site, place)
    if way == "view":
        return ViewSender(site, place)
    return FileSender(site, place, run)


def _body(move: Move) -> bytes:
    return move.record if isinstance(move.record, bytes) else orjson.dumps(move.record)
