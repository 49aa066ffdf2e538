"""A migrated database for each test, copied from one template."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from hub.embedded.databases import make_database
from hub.store.connections import connect
from hub.store.migrations import migrate


@pytest.fixture(scope="session")
async def template(database: str) -> str:
    dsn = await make_database(database)
    connection = await asyncpg.connect(dsn)
    await migrate(connection)
    await connection.close()
    return dsn


@pytest.fixture
async def dsn(template: str, fresh_database) -> str:
    return await fresh_database(template)


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def other(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(dsn)
    yield connection
    await connection.close()
