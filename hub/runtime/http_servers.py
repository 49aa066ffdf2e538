"""HTTP servers: an app on a socket until a block ends; signals are left to the command."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

import uvicorn

from hub.kernel.errors import ConfigurationError, HubError

_CONNECTIONS = 1024


class Address(NamedTuple):
    """Where to listen, and the names of what an operator can change about it.

    Attributes:
        host: Host name or address.
        port: Port; 0: any free one.
        public: Whether other machines may reach it.
        name: English and Chinese name of what listens.
        setting: Prefix of the settings, such as ``HUB_GATEWAY``.
    """

    host: str
    port: int
    public: bool
    name: tuple[str, str]
    setting: str


def check(address: Address) -> None:
    """Refuse an address that others can reach, unless that is wanted.

    Raises:
        ConfigurationError: names the setting.
    """
    host = address.host
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and not address.public:
        raise ConfigurationError(
            f"The {address.name[0]} would listen on {host}, where other machines can reach it.",
            hint=f"Set {address.setting}_PUBLIC=1 and put TLS in front, or use 127.0.0.1.",
            message_zh=f"{address.name[1]}将监听 {host},其他机器可访问;如确需如此,请设置 "
            f"{address.setting}_PUBLIC=1 并在前面配置 TLS,否则请使用 127.0.0.1。",
        )


@asynccontextmanager
async def serving(app: Any, address: Address) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    """Serve an ASGI app until the block ends.

    Yields:
        The URL without a slash at the end, and the server.

    Raises:
        ConfigurationError: see :func:`check`.
        HubError: the port is taken.
    """
    check(address)
    listening = _socket(address)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        # Each may hold a body of the largest size; further ones are answered 503.
        limit_concurrency=_CONNECTIONS,
        lifespan="on",
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]), name=address.name[0])
    try:
        started = asyncio.create_task(server.listening.wait())
        await asyncio.wait({started, running}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if running.done():
            await running
            raise HubError(
                f"The {address.name[0]} did not start.", message_zh=f"{address.name[1]}未能启动。"
            )
        host, port = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{port}", server
    finally:
        server.should_exit = True
        await running
        listening.close()


class _Server(uvicorn.Server):
    """A server that leaves signals to the command it runs in.

    Args:
        config: Of uvicorn.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Catch none."""
        yield


def _socket(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # Without naming TCP here asyncio leaves Nagle's algorithm on, and every answer on a connection
    # that is kept open waits 40 ms for the other side's acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address.host, address.port))
    except OSError as error:
        listening.close()
        raise HubError(
            f"Port {address.port} on {address.host} is not free.",
            hint=f"Set {address.setting}_PORT to another port; 0 takes any free one.",
            message_zh=f"{address.host} 的端口 {address.port} 已被占用;"
            f"请用 {address.setting}_PORT 指定其他端口。",
        ) from error
    listening.listen(128)
    return listening
