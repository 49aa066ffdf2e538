"""A console on a database of its own, asked through its ASGI interface."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx
import pytest

from hub.console import passwords
from hub.console.apps import create_app
from hub.console.contexts import Console
from hub.kernel.settings import Settings
from hub.store import accounts
from hub.store.connections import close, connect
from hub.store.migrations import migrate
from tests.conftest import FreshDatabase

PASSWORD = "correct-horse-battery"
_HASH = passwords.hashed(PASSWORD)


class Rig(NamedTuple):
    """The console, its database and a browser without a session."""

    database: str
    settings: Settings
    console: Console
    client: Callable[[], httpx.AsyncClient]

    def now(self) -> int:
        """The console's clock, ms since 1970."""
        return self.console.now()

    async def signed_in(self, role: str = "operator", **options: object) -> httpx.AsyncClient:
        """A browser signed in as a new account of that role."""
        name = f"{role}{len(await self._rows()) + 1}"
        connection = await connect(self.database)
        await accounts.add(
            connection, name, shown=name, role=role, password=_HASH, by="test", now=0, **options
        )  # type: ignore[arg-type]
        await close(connection)
        browser = self.client()
        answer = await browser.post("/sign-in", data={"account": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return browser

    async def _rows(self) -> list[asyncpg.Record]:
        return await self.fetch("SELECT id FROM account")

    async def fetch(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """Rows of the console's database."""
        connection = await connect(self.database, enable_seqscan="on")
        try:
            return list(await connection.fetch(sql, *values))
        finally:
            await close(connection)


def token(page: httpx.Response) -> str:
    """The session's token for forms, as a page shows it."""
    found = re.search(r'data-csrf="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


@pytest.fixture
async def rig(kafka: str, fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Rig]:
    """A console of its own."""
    dsn = await fresh_database()
    connection = await connect(dsn)
    await migrate(connection)
    await close(connection)
    settings = Settings(  # type: ignore[call-arg]
        kafka=kafka, database=dsn, data_dir=tmp_path, synthetic_people=True
    )
    app = create_app(settings, kafka=kafka, database=dsn)
    opened: list[httpx.AsyncClient] = []

    def client() -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=app)
        opened.append(httpx.AsyncClient(transport=transport, base_url="http://console"))
        return opened[-1]

    async with app.router.lifespan_context(app):
        yield Rig(dsn, settings, app.state.console, client)
        for one in opened:
            await one.aclose()
