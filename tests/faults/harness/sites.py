"""Sites: one hub as a case meets it, with all its processes and every lever to harm them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.faults.harness.children import Child
from tests.faults.harness.clusters import Cluster
from tests.faults.harness.declarations import Case, Scale
from tests.faults.harness.hooks import HookReceiver
from tests.faults.harness.machines import crowding
from tests.faults.harness.plants import Plant
from tests.faults.harness.proxies import Proxy

SESSION_SECONDS = 6.0
"""Session time-out of the hub's consumers: a member that is silent for longer is dead."""
_DEATHS = 5
Tell = Callable[[str], None]


@dataclass
class Site:
    """A running hub.

    Attributes:
        case: Whose site it is.
        scale: In force.
        dice: Seeded random numbers; everything random in a case comes from here.
        folder: Everything the site writes; ``site.json``, ``ledger/`` and ``witness/`` in it.
        plant: PostgreSQL: ``plant.stop_at_once()``, ``plant.server.kill()`` and ``start()``.
        cluster: Brokers: ``nodes[i].kill()``, ``whole()``, ``freeze(i)``; ``proxies[i].weather``.
        database: Direct DSN of the hub's database, superuser.
        exchange: Direct DSN of the departments' tables.
        prefix: Of topics and groups.
        postgres: Proxy between the workers and PostgreSQL; ``commits`` cuts a COMMIT.
        gateway_postgres: Proxy between the gateway and PostgreSQL.
        hooks: Receiver of webhooks.
        workers: Supervised processes; ``kill()``, ``freeze()``, ``thaw()``, ``start()``.
        gateway: The gateway's process.
        connectors: Connector id → process.
        load: The load generator; None: none.
        made: Every process that was ever made here, the tools among them; all end with the site.
        tell: Shows one line of progress.
        notes: Goes into the report.
        broken: Reasons found by the case itself; any turns it red.
    """

    case: Case
    scale: Scale
    dice: random.Random
    folder: Path
    plant: Plant
    cluster: Cluster
    tell: Tell
    database: str = ""
    exchange: str = ""
    prefix: str = ""
    postgres: Proxy = field(init=False)
    gateway_postgres: Proxy = field(init=False)
    hooks: HookReceiver = field(init=False)
    workers: list[Child] = field(default_factory=list)
    gateway: Child = field(init=False)
    connectors: dict[str, Child] = field(default_factory=dict)
    load: Child | None = None
    witness: Child | None = None
    made: list[Child] = field(default_factory=list)
    gateway_url: str = ""
    make_worker: Callable[..., Child] = field(init=False)
    notes: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    healed_at: float = 0.0

    @property
    def ledger(self) -> Path:
        """Folder of the load generator's ledger."""
        return self.folder / "ledger"

    @property
    def seen(self) -> Path:
        """Folder of the witness."""
        return self.folder / "witness"

    @property
    def file(self) -> Path:
        """``site.json``."""
        return self.folder / "site.json"

    @property
    def children(self) -> list[Child]:
        """Every process of the hub."""
        return [*self.workers, self.gateway, *self.connectors.values()]

    @property
    def armed(self) -> Path:
        """Log of the failpoints that were hit."""
        return self.folder / "failpoints.log"

    def shift_clock(self, seconds: float) -> None:
        """Set the hub's clock wrong; felt where ``HUB_CLOCK`` is ``offset:{folder}/clock``."""
        draft = self.folder / "clock.draft"
        draft.write_text(f"{seconds}")
        draft.replace(self.folder / "clock")

    def hits(self, name: str) -> int:
        """How often an armed failpoint was hit so far."""
        if not self.armed.exists():
            return 0
        return self.armed.read_text().split().count(name)

    async def query(self, sql: str, *values: Any) -> Any:
        """The first value of a query, directly at the hub's database."""
        connection = await asyncpg.connect(self.database)
        try:
            return await connection.fetchval(sql, *values)
        finally:
            await connection.close()

    async def until(self, done: Callable[[], Any], seconds: float, what: str) -> float:
        """Wait until a condition holds; an awaitable answer is awaited.

        Returns:
            Seconds it took; -1 when it did not hold in time, which turns the case red.
        """
        begin = time.monotonic()
        while time.monotonic() - begin < seconds * crowding():
            found = done()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return time.monotonic() - begin
            await asyncio.sleep(0.1)
        self.broken.append(f"not within {seconds:.0f} s: {what}")
        return -1.0

    async def ready(self, child: Child, seconds: float = 60.0) -> bool:
        """Wait until a worker holds its partitions, or the gateway its broker and database.

        Returns:
            False when it did not come in time, or died again and again meanwhile.
        """
        port, most = child.environ.get("HUB_FAULTS_PORT", ""), len(child.exits) + _DEATHS
        begin = time.monotonic()
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while time.monotonic() - begin < seconds * crowding() and len(child.exits) < most:
                try:
                    answer = await client.get(f"http://127.0.0.1:{port}/ready")
                except httpx.HTTPError:
                    answer = None
                if answer is not None and answer.is_success:
                    return True
                await asyncio.sleep(0.1)
        return False

    async def metrics(self, child: Child) -> str:
        """The page of a worker's or the gateway's counters; empty when it does not answer."""
        port = child.environ.get("HUB_FAULTS_PORT", "")
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            try:
                return (await client.get(f"http://127.0.0.1:{port}/metrics")).text
            except httpx.HTTPError:
                return ""

    async def health(self, child: Child) -> dict[str, Any]:
        """The health page of a worker; empty when it does not answer."""
        port = child.environ.get("HUB_FAULTS_PORT", "")
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            try:
                return dict((await client.get(f"http://127.0.0.1:{port}/health")).json())
            except (httpx.HTTPError, ValueError):
                return {}

    async def heal(self) -> None:
        """Everything whole again: weather, brokers, database, stopped processes."""
        for proxy in (self.postgres, self.gateway_postgres):
            proxy.clear()
        await self.plant.renewed()
        for child in self.children:
            child.thaw()
            if child.pid is None and child.again and not child.starts:
                await child.start()
        self.healed_at = time.monotonic()
