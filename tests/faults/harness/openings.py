"""Openings: a site is made, its processes are started, and all of it is gone at the end."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgspec
from aiokafka.errors import KafkaError

from hub.contracts.catalogues import catalogue
from hub.contracts.provisions import apply
from hub.embedded.city.offices import create_tables
from hub.embedded.databases import drop_database
from hub.embedded.ports import free_ports
from hub.gateway.keys import development_key
from hub.kernel.errors import HubError
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.runtime.wiring import agreements
from hub.sdk.manifests import load_manifests
from hub.store.migrations import migrate
from tests.faults.harness.children import ROOT, Child
from tests.faults.harness.declarations import Case, Scale
from tests.faults.harness.environments import hub_environment, write_profile
from tests.faults.harness.hooks import HookReceiver
from tests.faults.harness.plants import READER, Plant, delete_topics
from tests.faults.harness.proxies import Proxy
from tests.faults.harness.sites import Site, Tell

_EVERY = "PT1S"
_READY_SECONDS = 60.0


class StartError(Exception):
    """The site did not come up; the text names the process and shows the end of its log."""


@asynccontextmanager
async def opened(
    plant: Plant,
    case: Case,
    scale: Scale,
    dice: random.Random,
    folder: Path,
    *,
    sabotage: str = "",
    tell: Tell,
) -> AsyncIterator[Site]:
    """A site whose processes are ready.

    Args:
        plant: Where it stands.
        case: Says what it needs.
        scale: In force.
        dice: Seeded.
        folder: Of this run; must be empty.
        sabotage: Name of what is broken in the workers on purpose; empty: nothing.
        tell: Shows progress.

    Raises:
        StartError: a process did not become ready.
    """
    cluster = await plant.cluster(case.topology)
    site = Site(case, scale, dice, folder, plant, cluster, tell)
    for place in (site.ledger, site.seen, folder / "logs"):
        place.mkdir(parents=True)
    site.hooks = HookReceiver(folder / "hooks.jsonl")
    site.postgres = Proxy(lambda: plant.socket, dice)
    site.gateway_postgres = Proxy(lambda: plant.socket, dice)
    queues: list[str] = []
    try:
        await asyncio.gather(
            site.hooks.start(), site.postgres.start(), site.gateway_postgres.start()
        )
        queues = await _furnished(site)
        _staffed(site, sabotage)
        await _started(site)
        yield site
    finally:
        await asyncio.gather(*(child.stop() for child in site.made))
        await asyncio.gather(site.hooks.stop(), site.postgres.stop(), site.gateway_postgres.stop())
        await _cleared(site, queues)


async def _cleared(site: Site, queues: list[str]) -> None:
    """Leave the services as they were found; brokers that cannot be are thrown away."""
    try:
        await site.plant.renewed()
        await delete_topics(site.cluster.direct, site.prefix, queues)
    except (HubError, KafkaError, TimeoutError):
        await site.plant.scrap(site.case.topology)
        await site.plant.server.start()
    for made in filter(None, (site.database, site.exchange)):
        await drop_database(site.plant.server.dsn, made)


async def _furnished(site: Site) -> list[str]:
    """Database, topics, keys, profile and ``site.json``; the departments' own topics."""
    site.prefix = f"{site.case.id.lower()}{site.dice.randrange(1 << 24):06x}-"
    name = site.prefix.replace("-", "")
    site.database = await site.plant.database(f"hub_{name}")
    site.exchange = await site.plant.database(f"dept_{name}")
    write_profile(site.folder, site.hooks.address, site.case.webhooks)
    site.shift_clock(0)
    settings = _settings(site)
    manifests = load_manifests(settings)
    connection = await asyncpg.connect(site.database)
    await migrate(connection)
    await connection.close()
    await create_tables(manifests, site.exchange)
    declared = catalogue().topics
    pattern = next(iter(declared.values()))
    queues = {
        f"{manifest.id}/{item.id}": item.queue.topic
        for manifest in manifests.values()
        for item in manifest.items
        if item.queue is not None
    }
    await delete_topics(site.cluster.direct, "", list(queues.values()))
    wanted = [
        *(msgspec.structs.replace(one, name=site.prefix + one.name) for one in declared.values()),
        *(msgspec.structs.replace(pattern, name=q, partitions=1) for q in queues.values()),
    ]
    await apply(site.cluster.direct, wanted, site.case.partitions, site.cluster.replication)
    Secrets.load(settings)
    programs = sorted(agreements(settings))
    holders = [f"department:{name}" for name in manifests] + [f"program:{n}" for n in programs]
    _write(site, queues, programs, {one: development_key(settings, one) for one in holders})
    return list(queues.values())


def _settings(site: Site) -> Settings:
    return Settings(
        data_dir=site.folder,
        secrets_dir=site.folder / "secrets",
        profiles_dir=site.folder / "profiles",
        synthetic_people=True,
        database=site.database,
    )


def _write(site: Site, queues: dict[str, str], programs: list[str], keys: dict[str, str]) -> None:
    site.gateway_url = f"http://127.0.0.1:{free_ports(1)[0]}"
    drops = {name: str(site.folder / "drops" / name) for name in site.case.connectors}
    for place in drops.values():
        (Path(place) / "inbox").mkdir(parents=True)
    reader = site.database.replace("postgres@", f"{READER}@", 1)
    document = {
        "kafka": site.cluster.bootstrap,
        "kafka_direct": site.cluster.direct,
        "prefix": site.prefix,
        "database": reader,
        "gateway": site.gateway_url,
        "keys": keys,
        "exchange": site.exchange,
        "queues": queues,
        "drops": drops,
        "programs": programs,
        "schemas": str(ROOT / "schemas"),
        "partitions": site.case.partitions,
        "ways": _ways(site),
        "profile": str(site.folder / "profiles"),
        "hooks": str(site.folder / "hooks.jsonl"),
    }
    site.file.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _ways(site: Site) -> dict[str, str]:
    manifests = load_manifests(_settings(site))
    return {name: str(manifests[name].items[0].ways[-1]) for name in site.case.connectors}


def _environment(site: Site, name: str, port: int, proxy: Proxy) -> dict[str, str]:
    database = (
        f"postgresql://postgres@127.0.0.1:{proxy.port}/{urlsplit(site.database).path.lstrip('/')}"
    )
    own = {
        key.removeprefix("HUB_").lower(): value.format(folder=site.folder)
        for key, value in site.case.environ.items()
    }
    base = {
        "kafka": site.cluster.bootstrap,
        "database": f"{database}?sslmode=disable",
        "data_dir": str(site.folder / name),
        "topic_prefix": site.prefix,
        "partitions": str(site.case.partitions),
        "replication": str(site.cluster.replication),
        "gateway_port": str(port),
        "faults_port": str(port),
        "failpoints_log": str(site.armed),
    }
    return hub_environment(site.folder, **(base | own))


def _child(site: Site, name: str, command: list[str], port: int, proxy: Proxy) -> Child:
    environ = _environment(site, name, port, proxy)
    made = Child(name, command, environ, site.folder / "logs" / f"{name}.log")
    site.made.append(made)
    return made


def hub_command(*words: str, sabotage: str = "", python: str = sys.executable) -> list[str]:
    """The command line of a hub's process, honest or sabotaged."""
    module = ["tests.faults.sabotaged", sabotage] if sabotage else ["hub.cli.main"]
    return [python, "-m", *module, *words]


def _staffed(site: Site, sabotage: str) -> None:
    def make_worker(
        name: str, *, stages: str = "", sabotage: str = sabotage, python: str = sys.executable
    ) -> Child:
        port = free_ports(1)[0]
        words = ["worker", "--health-port", str(port), *(["--stages", stages] if stages else [])]
        command = hub_command(*words, sabotage=sabotage, python=python)
        return _child(site, name, command, port, site.postgres)

    site.make_worker = make_worker
    for number in range(site.case.workers):
        stages = site.case.stages[number] if number < len(site.case.stages) else ""
        site.workers.append(make_worker(f"worker-{number + 1}", stages=stages))
    port = int(site.gateway_url.rpartition(":")[2])
    command = hub_command("gateway", sabotage=sabotage)
    site.gateway = _child(site, "gateway", command, port, site.gateway_postgres)
    for name in site.case.connectors:
        words = ["connectors", "run", name, "--every", _EVERY, "--folder"]
        words += [str(site.folder / "drops" / name), "--brokers", site.cluster.direct]
        command = hub_command(*words, "--database", site.exchange)
        child = _child(site, f"connector-{name}", command, 0, site.postgres)
        child.environ.pop("HUB_DATABASE")
        site.connectors[name] = child


async def _started(site: Site) -> None:
    await asyncio.gather(*(child.start() for child in site.children))
    waited = [*site.workers, site.gateway]
    for child, ready in zip(
        waited, await asyncio.gather(*(site.ready(c, _READY_SECONDS) for c in waited)), strict=True
    ):
        if not ready:
            tail = child.log.read_text(errors="replace")[-2000:]
            raise StartError(f"{child.name} is not ready:\n{tail}")
