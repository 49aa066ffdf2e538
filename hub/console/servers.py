"""Server: the console on a socket, loopback unless the operator says otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.console.apps import create_app
from hub.kernel.settings import Settings
from hub.runtime import http_servers, quiet_logs
from hub.runtime.http_servers import Address
from hub.store.connections import close, connect
from hub.store.migrations import migrate


@asynccontextmanager
async def serving(settings: Settings, *, kafka: str, database: str) -> AsyncIterator[str]:
    """Serve until the block ends.

    Yields:
        The URL without a slash at the end.

    Raises:
        ConfigurationError: the address may be reached by others, or a declaration is wrong.
        HubError: the port is taken.
    """
    address = Address(
        settings.console_host,
        settings.console_port,
        settings.console_public,
        ("console", "控制台"),
        "HUB_CONSOLE",
    )
    http_servers.check(address)
    quiet_logs.install()
    connection = await connect(database)
    try:
        await migrate(connection)
    finally:
        await close(connection)
    app = create_app(settings, kafka=kafka, database=database)
    async with http_servers.serving(app, address) as (url, _server):
        yield url
