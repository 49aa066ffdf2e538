"""Server: the app on a socket, loopback unless the operator says otherwise."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI

from hub.gateway.apps import create_app
from hub.gateway.contexts import Gateway
from hub.gateway.keys import DEVELOPMENT, Holder, Principal
from hub.kernel.errors import ConfigurationError, HubError
from hub.kernel.settings import Settings
from hub.runtime import quiet_logs


class Served(NamedTuple):
    """A gateway that listens.

    Attributes:
        url: Its address, without a slash at the end.
        app: The app.
        server: Set ``should_exit`` to end it.
    """

    url: str
    app: FastAPI
    server: uvicorn.Server

    @property
    def gateway(self) -> Gateway:
        """The gateway behind the app."""
        found: Gateway = self.app.state.gateway
        return found

    def login_link(self) -> str:
        """A link that opens one operator's session within ten minutes; test systems only."""
        holder = Holder(Principal("operator", "local"), DEVELOPMENT)
        return f"{self.url}/enter/{self.gateway.sessions.link(holder)}"


def check_address(settings: Settings) -> None:
    """Refuse an address that others can reach, unless that is wanted.

    Raises:
        ConfigurationError: names the setting.
    """
    host = settings.gateway_host
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and not settings.gateway_public:
        raise ConfigurationError(
            f"The gateway would listen on {host}, where other machines can reach it.",
            hint="Set HUB_GATEWAY_PUBLIC=1 and put TLS in front, or use 127.0.0.1.",
            message_zh=f"网关将监听 {host},其他机器可访问;如确需如此,请设置 "
            "HUB_GATEWAY_PUBLIC=1 并在前面配置 TLS,否则请使用 127.0.0.1。",
        )


@asynccontextmanager
async def serving(settings: Settings, *, kafka: str, database: str) -> AsyncIterator[Served]:
    """Serve until the block ends.

    Raises:
        ConfigurationError: see :func:`check_address`, :func:`create_app`.
        HubError: the port is taken.
    """
    check_address(settings)
    quiet_logs.install()
    app = create_app(settings, kafka=kafka, database=database)
    listening = _socket(settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        lifespan="on",
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]), name="gateway")
    try:
        started = asyncio.create_task(server.listening.wait())
        await asyncio.wait({started, running}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if running.done():
            await running
            raise HubError("The gateway did not start.", message_zh="网关未能启动。")
        host, port = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        yield Served(f"http://{shown}:{port}", app, server)
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


def _socket(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.gateway_host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.gateway_host, settings.gateway_port))
    except OSError as error:
        listening.close()
        raise HubError(
            f"Port {settings.gateway_port} on {settings.gateway_host} is not free.",
            hint="Set HUB_GATEWAY_PORT to another port; 0 takes any free one.",
            message_zh=f"{settings.gateway_host} 的端口 {settings.gateway_port} 已被占用;"
            "请用 HUB_GATEWAY_PORT 指定其他端口。",
        ) from error
    listening.listen(128)
    return listening
