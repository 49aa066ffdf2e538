"""Hooks: a program's webhook receiver that keeps what it was sent and can be told to fail."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from aiohttp import web


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
        app = web.Application(client_max_size=8 << 20)
        app.router.add_post("/hub", self._take)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; :meth:`start` takes the same port again."""
        await self._runner.cleanup()

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
            "headers": {name.lower(): value for name, value in request.headers.items()},
        }
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        return web.Response(status=status)
