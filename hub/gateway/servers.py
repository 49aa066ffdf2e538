"""Server: the app on a socket, loopback unless the operator says otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI

from hub.gateway.apps import create_app
from hub.gateway.contexts import Gateway
from hub.gateway.keys import DEVELOPMENT, Holder, Principal
from hub.kernel.settings import Settings
from hub.runtime import http_servers, quiet_logs
from hub.runtime.http_servers import Address


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
    http_servers.check(_address(settings))


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
    async with http_servers.serving(app, _address(settings)) as (url, server):
        yield Served(url, app, server)


def _address(settings: Settings) -> Address:
    return Address(
        settings.gateway_host,
        settings.gateway_port,
        settings.gateway_public,
        ("gateway", "网关"),
        "HUB_GATEWAY",
    )
