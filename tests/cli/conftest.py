"""Commands run in this process against services of their own."""

from __future__ import annotations

import asyncio
import dataclasses

import asyncpg
import pytest

from hub.cli.dev import prepare
from hub.cli.main import main
from hub.embedded.databases import drop_database, make_database
from hub.kernel.settings import Settings, settings


@dataclasses.dataclass
class Shell:
    """``hub`` with an environment that names services, and what it printed."""

    capsys: pytest.CaptureFixture

    def __call__(self, *words: str) -> tuple[int, str, str]:
        code = main(words)
        said = self.capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def shell(capsys, monkeypatch):
    for name in ("HUB_LANG", "HUB_DEBUG", "HUB_KAFKA", "HUB_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield Shell(capsys)
    settings.cache_clear()


@pytest.fixture(scope="session")
def prepared(kafka, database, tmp_path_factory):
    """An installation as ``hub dev`` prepares it: secrets, tables, topics."""
    folder = tmp_path_factory.mktemp("cli")

    async def made() -> str:
        dsn = await make_database(database)
        chosen = Settings(
            kafka=kafka, database=dsn, data_dir=folder, synthetic_people=True,
            topic_prefix="cli-test-", partitions=1,
        )  # fmt: skip
        await prepare(chosen, kafka, dsn)
        return dsn

    dsn = asyncio.run(made())
    yield {
        "HUB_KAFKA": kafka,
        "HUB_DATABASE": dsn,
        "HUB_DATA_DIR": str(folder),
        "HUB_SYNTHETIC_PEOPLE": "1",
        "HUB_TOPIC_PREFIX": "cli-test-",
        "HUB_PARTITIONS": "1",
        "HUB_LANG": "zh",
    }
    asyncio.run(drop_database(database, dsn))


@pytest.fixture
def hub(shell, prepared, monkeypatch):
    for name, value in prepared.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return shell


@pytest.fixture
def sql(prepared):
    def run(text: str, *values):
        async def go():
            connection = await asyncpg.connect(prepared["HUB_DATABASE"])
            try:
                return await connection.execute(text, *values)
            finally:
                await connection.close()

        return asyncio.run(go())

    return run


@pytest.fixture
def sql_row(prepared):
    def run(text: str, *values):
        async def go():
            connection = await asyncpg.connect(prepared["HUB_DATABASE"])
            try:
                return tuple(await connection.fetchrow(text, *values))
            finally:
                await connection.close()

        return asyncio.run(go())

    return run
