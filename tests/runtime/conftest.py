"""Rigs: a hub of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from rigs import Rig

from hub.embedded.databases import make_database
from hub.store.migrations import migrate


@pytest.fixture(scope="session")
async def migrated(database: str) -> str:
    dsn = await make_database(database)
    connection = await asyncpg.connect(dsn)
    await migrate(connection)
    await connection.close()
    return dsn


@pytest.fixture
async def make_rig(
    kafka: str, migrated: str, fresh_database, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[Rig]]]:
    made: list[Rig] = []

    async def make(**values) -> Rig:
        rig = Rig(kafka, await fresh_database(migrated), tmp_path, **values)
        await rig.open()
        made.append(rig)
        return rig

    yield make
    for rig in made:
        await rig.close()


@pytest.fixture
async def rig(make_rig) -> Rig:
    return await make_rig()
