"""Databases that every run copies, and the session's keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from hub.embedded.city.offices import create_tables
from hub.embedded.databases import drop_database, make_database
from hub.kernel.settings import Settings
from hub.sdk.manifests import load_manifests
from hub.store.migrations import migrate
from tests.scenarios.harness.stages import Templates


@pytest.fixture(scope="session")
async def templates(database: str) -> AsyncIterator[Templates]:
    hub, exchange = await make_database(database), await make_database(database)
    connection = await asyncpg.connect(hub)
    await migrate(connection)
    await connection.close()
    await create_tables(load_manifests(Settings()), exchange)
    yield Templates(hub, exchange)
    await drop_database(database, hub)
    await drop_database(database, exchange)


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")
