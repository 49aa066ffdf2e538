"""One real Kafka node and one real PostgreSQL server for the whole session."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from hub.embedded.data_dirs import is_abandoned
from hub.embedded.databases import drop_database, make_database
from hub.embedded.kafka import KafkaNode
from hub.embedded.postgres import PostgresNode
from hub.embedded.services import Services, embedded
from hub.kernel.settings import Settings

PREFIX = "hub-tests-"
FreshDatabase = Callable[..., Awaitable[str]]


def _settings(data_dir: Path, **values: object) -> Settings:
    """Settings of a test system: own services whatever the environment names, invented people."""
    own = {"kafka": "", "database": "", "data_dir": data_dir, "synthetic_people": True}
    return Settings(**(own | values))


async def _sweep() -> None:
    """End what killed test sessions left behind."""
    for folder in _abandoned():
        await KafkaNode(folder).end_orphan()
        await PostgresNode(folder).end_orphan()
        shutil.rmtree(folder, ignore_errors=True)


def _abandoned() -> list[Path]:
    """Folders of sessions that are gone; young ones may only be starting."""
    found = Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
    return [f for f in found if time.time() - f.stat().st_mtime > 60 and is_abandoned(f)]


@pytest.fixture(scope="session")
async def services() -> AsyncIterator[Services]:
    """The session's embedded services, in a folder of their own."""
    await _sweep()
    # Not pytest's own folder: a second session would close that to the database's account.
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        async with embedded(folder, settings=_settings(folder)) as found:
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka(services: Services) -> str:
    """Bootstrap servers of the session's broker; take topic names of your own."""
    return services.kafka


@pytest.fixture(scope="session")
def database(services: Services) -> str:
    """DSN of the administrator's database; make your own database from it."""
    return services.database


@pytest.fixture
async def fresh_database(database: str) -> AsyncIterator[FreshDatabase]:
    """Make databases for one test: ``dsn = await fresh_database(template=None)``."""
    made: list[str] = []

    async def make(template: str | None = None) -> str:
        made.append(await make_database(database, template))
        return made[-1]

    yield make
    for dsn in made:
        await drop_database(database, dsn)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and how to run it."""
    left = [
        one for one in terminalreporter.stats.get("deselected", ()) if "tests/browser" in one.nodeid
    ]
    if left:
        missing = "" if shutil.which("chromium") else " (Chromium is not installed)"
        terminalreporter.write_line(
            f"left out: {len(left)} browser tests; run them with 'make browser'{missing}"
        )
