"""Small sites: a whole hub of real processes on brokers and a database that run already.

For the tests of the verifier itself; fault cases start theirs with brokers of their own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import msgspec
from aiokafka.admin import AIOKafkaAdminClient

from hub.contracts.catalogues import catalogue
from hub.contracts.provisions import apply
from hub.embedded.city.offices import create_tables, queue_topics
from hub.embedded.databases import make_database
from hub.embedded.ports import free_ports
from hub.gateway.keys import development_key
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.sdk.manifests import load_manifests
from hub.store.migrations import migrate
from tests.faults import sites
from tests.faults.sites import Site

ROLE = "hub_verifier"
PARTITIONS = 4
_READY_SECONDS = 60.0
_TRIES = 100
_CONNECTORS = ("civil-affairs", "hrss", "medical-insurance", "poverty-alleviation")
_ROOT = Path(__file__).resolve().parents[2]


class Processes:
    """Child processes with one environment; each writes to a log of its own."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        own = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        self._env = own | {
            "HUB_KAFKA": settings.kafka,
            "HUB_DATABASE": settings.database,
            "HUB_DATA_DIR": str(folder),
            "HUB_SYNTHETIC_PEOPLE": "1",
            "HUB_TOPIC_PREFIX": settings.topic_prefix,
            "HUB_PARTITIONS": str(PARTITIONS),
            "HUB_LANES": "2",
            "HUB_LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(_ROOT),
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, **env: str) -> subprocess.Popen[bytes]:
        """Start ``python -m …``."""
        log = (self._folder / f"{name}.log").open("ab")
        with log:
            child = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=self._env | env,
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running[name] = child
        return child

    def log(self, name: str) -> str:
        """The end of a log."""
        return (self._folder / f"{name}.log").read_text(errors="replace")[-3000:]

    async def stop(self) -> None:
        """End all of them, at last by force."""
        for child in self.running.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        limit = time.monotonic() + 10
        for child in self.running.values():
            try:
                left = max(0.1, limit - time.monotonic())
                await asyncio.to_thread(child.wait, left)
            except subprocess.TimeoutExpired:
                child.kill()
                await asyncio.to_thread(child.wait)


class SmallSite(msgspec.Struct):
    """A hub that runs.

    Attributes:
        site: Its addresses.
        path: ``site.json``.
        processes: What runs.
        folder: Data folder of all of them.
    """

    site: Site
    path: Path
    processes: Processes
    folder: Path
    sabotage: str = ""
    worker_port: int = 0

    def start_worker(self) -> None:
        """Start the worker, with its sabotage if one is named."""
        self.worker_port = free_ports(1)[0]
        program = ["tests.faults.sabotaged", self.sabotage] if self.sabotage else ["hub.cli.main"]
        port = str(self.worker_port)
        self.processes.start("worker", *program, "worker", "--health-port", port)

    async def watch(self) -> None:
        """Start the worker again whenever it ended, as a supervisor does, until cancelled."""
        while True:
            if self.processes.running["worker"].poll() is not None:
                self.start_worker()
            await asyncio.sleep(0.2)


@asynccontextmanager
async def small_site(
    kafka: str, admin: str, folder: Path, *, prefix: str, sabotage: str = ""
) -> AsyncIterator[SmallSite]:
    """Start gateway, connectors and one worker.

    Args:
        kafka: Bootstrap servers.
        admin: DSN of an account that may make databases and roles.
        folder: For keys, logs and drop folders.
        prefix: Before topics and groups.
        sabotage: Of :data:`tests.faults.sabotages.SABOTAGES`; empty: the hub as it is.
    """
    database, exchange = await make_database(admin), await make_database(admin)
    settings = Settings(
        kafka=kafka,
        database=database,
        data_dir=folder,
        synthetic_people=True,
        topic_prefix=prefix,
        partitions=PARTITIONS,
    )
    manifests = load_manifests(settings)
    Secrets.load(settings)
    connection = await asyncpg.connect(database)
    await migrate(connection)
    reader = await _reader(connection, database)
    await connection.close()
    await create_tables(manifests, exchange)
    await _topics(settings, queue_topics(manifests))
    port = free_ports(1)[0]
    drops = folder / "drops" / "poverty-alleviation"
    site = Site(
        kafka=kafka,
        prefix=prefix,
        database=reader,
        gateway=f"http://127.0.0.1:{port}",
        keys={"department:hospital": development_key(settings, "department:hospital")},
        exchange=exchange,
        drops={"poverty-alleviation": str(drops)},
        schemas=str(_ROOT / "schemas"),
        partitions=PARTITIONS,
    )
    path = folder / "site.json"
    sites.save(site, path)
    made = SmallSite(site, path, Processes(folder, settings), folder, sabotage)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(made.processes.stop)
        made.start_worker()
        made.processes.start("gateway", "hub.cli.main", "gateway", "--port", str(port))
        for name in _CONNECTORS:
            _connect(made.processes, name, exchange, kafka, drops)
        await _ready(made, f"{site.gateway}/health", "gateway")
        await _ready(made, f"http://127.0.0.1:{made.worker_port}/ready", "worker")
        yield made


def _connect(processes: Processes, name: str, exchange: str, kafka: str, drops: Path) -> None:
    processes.start(
        name,
        *("hub.cli.main", "connectors", "run", name, "--every", "PT1S"),
        HUB_SOURCE_DATABASE=exchange,
        HUB_SOURCE_KAFKA=kafka,
        HUB_SOURCE_FOLDER=str(drops),
    )


async def _reader(connection: asyncpg.Connection, database: str) -> str:
    """A role that may only read, and the DSN under its name."""
    there = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", ROLE)
    if not there:
        await connection.execute(f"CREATE ROLE {ROLE} LOGIN")
    await connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ROLE}")
    parts = urlsplit(database)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{ROLE}@{host}", parts.path, parts.query, ""))


async def _forgotten(kafka: str, queues: list[str]) -> None:
    """Departments' own topics are shared by all sites of a broker: begin with empty ones."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics(queues)
        for _ in range(_TRIES):
            if not set(queues) & set(await admin.list_topics()):
                return
            await asyncio.sleep(0.1)
        raise TimeoutError("the departments' topics do not go away")
    finally:
        await admin.close()


async def _topics(settings: Settings, queues: list[str]) -> None:
    await _forgotten(settings.kafka, queues)
    declared = catalogue().topics
    pattern = next(iter(declared.values()))
    own = [
        msgspec.structs.replace(topic, name=settings.topic_prefix + topic.name)
        for topic in declared.values()
    ]
    theirs = [msgspec.structs.replace(pattern, name=name, partitions=1) for name in queues]
    await apply(settings.kafka, [*own, *theirs], settings.partitions, 1)


async def _ready(made: SmallSite, url: str, name: str) -> None:
    limit = time.monotonic() + _READY_SECONDS
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        while time.monotonic() < limit:
            try:
                if (await client.get(url)).status_code < 500:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
            await asyncio.sleep(0.1)
    raise TimeoutError(f"{name} is not ready:\n{made.processes.log(name)}")
