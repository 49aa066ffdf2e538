"""Plants: the services of a run, started once for each topology, and what sites share on them."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Iterable
from pathlib import Path

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from hub.embedded.databases import make_database
from hub.embedded.postgres import PostgresNode
from tests.faults.harness.clusters import Cluster
from tests.faults.harness.declarations import TRIPLE
from tests.faults.harness.disks import Disk

READER = "hub_verifier"
_SOCKET = ".s.PGSQL.5432"
KAFKA, POSTGRES = "kafka", "postgres"
_SMALL = {"max_wal_size": "64MB", "min_wal_size": "32MB"}
_MORE = {"max_connections": "200", "log_min_messages": "warning"}


class Plant:
    """PostgreSQL, and the cluster of the topology in use.

    Args:
        dice: For the proxies.
        disks: Which of :data:`KAFKA` and :data:`POSTGRES` have a small disk of their own.

    Attributes:
        folder: Where everything lives; :meth:`stop` removes it.
        disks: Name → disk: ``plant.disks[KAFKA].fill()``.
    """

    def __init__(self, dice: random.Random, disks: Iterable[str] = ()) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hub-faults-"))
        self._dice = dice
        self.disks = {name: Disk(self.folder / f"{name}-disk") for name in disks}
        small = _SMALL if POSTGRES in self.disks else {}
        self.server = PostgresNode(self._place(POSTGRES), extra=_MORE | small)
        self._clusters: dict[str, Cluster] = {}

    def _place(self, name: str) -> Path:
        return self.disks[name].folder if name in self.disks else self.folder

    async def start(self) -> None:
        """Mount the disks and start the database server.

        Raises:
            NotRunError: a disk cannot be mounted here.
        """
        for disk in self.disks.values():
            disk.mount()
        await self.server.start()
        connection = await asyncpg.connect(self.server.dsn)
        try:
            known = "SELECT 1 FROM pg_roles WHERE rolname = $1"
            if not await connection.fetchval(known, READER):
                await connection.execute(f"CREATE ROLE {READER} LOGIN IN ROLE pg_read_all_data")
        finally:
            await connection.close()

    async def cluster(self, topology: str) -> Cluster:
        """The cluster of a topology; another one that runs is ended first."""
        for name, other in list(self._clusters.items()):
            if name != topology:
                await other.stop()
                del self._clusters[name]
        if topology not in self._clusters:
            nodes = 3 if topology == TRIPLE else 1
            place = Path(tempfile.mkdtemp(prefix=f"{topology}-", dir=self._place(KAFKA)))
            made = self._clusters[topology] = Cluster(place, nodes, self._dice)
            await made.start()
        return self._clusters[topology]

    async def stop(self) -> None:
        """End everything and remove the folder."""
        await asyncio.gather(*(one.stop() for one in self._clusters.values()))
        await self.server.stop()
        for disk in self.disks.values():
            disk.unmount()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def renewed(self) -> None:
        """Both services whole again, whatever a case did to them."""
        for disk in self.disks.values():
            disk.free()
        await self.server.start()
        for cluster in self._clusters.values():
            cluster.clear()
            await cluster.whole()

    async def scrap(self, topology: str) -> None:
        """End a cluster that did not become whole; the next case gets a new one."""
        await self._clusters.pop(topology).stop()

    @property
    def socket(self) -> Path:
        """Where the server listens."""
        return self.server._socket_folder / _SOCKET

    async def database(self, name: str) -> str:
        """Make a database; its direct DSN."""
        return await make_database(self.server.dsn, name=name)

    async def stop_at_once(self) -> None:
        """PostgreSQL's immediate stop: sessions end, nothing is flushed, recovery follows."""
        if pid := self.server.pid:
            os.kill(pid, signal.SIGQUIT)
            while self.server.pid is not None:  # noqa: ASYNC110 - a process tells nobody
                await asyncio.sleep(0.02)


async def delete_topics(bootstrap: str, prefix: str, names: list[str]) -> None:
    """Delete the topics of a prefix and the named ones."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await client.start()
        there = await client.list_topics()
        gone = [name for name in there if (prefix and name.startswith(prefix)) or name in names]
        if gone:
            await client.delete_topics(gone)
        while set(gone) & set(await client.list_topics()):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
    finally:
        await client.close()
