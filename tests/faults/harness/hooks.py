"""Hooks: a program's webhook receiver that keeps what it was sent and can be told to fail."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

_TAKEN = range(200, 300)


class HookReceiver:
    """Receives webhooks on a port of its own.

    Args:
        file: Gets one JSON line per call: headers, status answered, arrival.

    Attributes:
        status: What it answers.
        slow: Seconds before it answers.
        port: Known after the start.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.status = 200
        self.slow = 0.0
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=8 << 20)
        app.router.add_post("/hub", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; :meth:`start` takes the same port again."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @asynccontextmanager
    async def babbling(self) -> AsyncIterator[None]:
        """Something else answers at the port of the stopped receiver, as a TLS server would."""

        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"\x15\x03\x01\x00\x02\x02\x28")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", self.port)
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()

    @property
    def address(self) -> str:
        """Where to send to."""
        return f"http://127.0.0.1:{self.port}/hub"

    @property
    def received(self) -> set[str]:
        """Ids of the copies that were answered with success."""
        if not self._file.exists():
            return set()
        notes = [json.loads(line) for line in self._file.read_text().splitlines()]
        return {note["headers"]["webhook-id"] for note in notes if note["status"] < 300}

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        status = self.status
        if self.slow:
            await asyncio.sleep(self.slow)
        note = {
            "at": time.monotonic(),
            "status": status,
            "bytes": len(body),
            "event": _attributes(body),
            "headers": {name.lower(): value for name, value in request.headers.items()},
        }
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        return web.Response(status=status)


def _attributes(body: bytes) -> dict[str, Any]:
    """What the body says of itself, without what it is about."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return {name: found.get(name) for name in ("id", "partitionkey", *_NUMBER)}


_NUMBER = ("subscriptiongen", "subscriptionseq")


def taken_numbers(file: Path) -> dict[str, list[tuple[int, int]]]:
    """Person's key → generation and number of each copy, in the order they were first taken."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    known: set[str] = set()
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        note = json.loads(line)
        event = note["event"]
        if note["status"] in _TAKEN and event.get("id") and event["id"] not in known:
            known.add(event["id"])
            number = int(event["subscriptiongen"] or 0), int(event["subscriptionseq"])
            found[str(event["partitionkey"])].append(number)
    return found
