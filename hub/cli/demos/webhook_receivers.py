"""A program's own web server: takes signed copies, refuses everything else."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from hub.embedded.ports import HOST, all_free
from hub.kernel.errors import DataError, HubError
from hub.sdk.programs.copies import Copy
from hub.sdk.programs.webhooks import verify

Take = Callable[[Copy], Awaitable[None]]


class WebhookReceiver:
    """Serves the address of one subscription.

    Args:
        program: The receiver.
        url: Address that its subscription names.
        secret: Shared with the hub.
        take: Called with every new copy before it is acknowledged.

    Attributes:
        refused: Requests whose signature did not fit.
        failing: Status answered to everything; 0: copies are taken.
        well: While it is cleared, no request is answered at all.
    """

    def __init__(self, program: str, url: str, secret: bytes, take: Take) -> None:
        self._program = program
        self._port = urlsplit(url).port or 80
        self._path = urlsplit(url).path
        self._secret = secret
        self._take = take
        self._seen: set[str] = set()
        self.refused = 0
        self.failing = 0
        self.well = asyncio.Event()
        self.well.set()

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            HubError: the port is taken.
        """
        if not all_free([self._port]):
            raise HubError(
                f"Port {self._port}, where {self._program} takes its copies, is not free.",
                hint="End the program that uses it, or another demonstration.",
                message_zh=f"{self._program} 接收端口 {self._port} 被占用;请结束占用它的程序。",
            )
        config = uvicorn.Config(
            self._app,
            host=HOST,
            port=self._port,
            log_config=None,
            access_log=False,
            lifespan="off",
            interface="asgi3",
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        serving = asyncio.ensure_future(server.serve())
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await serving

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        await self.well.wait()
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        status = await self._answer(scope["path"], headers, body)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, path: str, headers: dict[str, str], body: bytes) -> int:
        if path != self._path:
            return 404
        if self.failing:
            return self.failing
        try:
            copy = verify(
                self._program, headers, body, now=int(time.time()), secrets=[self._secret]
            )
        except DataError:
            self.refused += 1
            return 401
        if copy.id not in self._seen:
            await self._take(copy)
            self._seen.add(copy.id)
        return 204


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the command."""
        yield
