"""Clusters: one or three real brokers, each with a proxy on the way of the hub's processes.

Every node has two listeners. ``PLAINTEXT`` is direct: for the brokers among themselves, the load
and the verifier. ``HUB`` is advertised at the node's proxy: for workers, gateway and connectors.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Mapping
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from hub.embedded.broker_settings import kafka_uuid
from hub.embedded.kafka import KafkaNode
from hub.embedded.ports import HOST, free_ports
from hub.kernel.errors import HubError
from tests.faults.harness.proxies import Proxy

_SAFE = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
}
_SOON = {
    # A case that lets records expire does not wait for minutes.
    "log.retention.check.interval.ms": "1000",
    "log.initial.task.delay.ms": "1000",
}
_WHOLE_SECONDS = 40.0


class Cluster:
    """Brokers that belong together.

    Args:
        folder: Where they keep their data.
        nodes: 1 or 3.
        dice: For the proxies.
        extra: Broker settings on top.
    """

    def __init__(
        self,
        folder: Path,
        nodes: int,
        dice: random.Random,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self._ports = [free_ports(nodes), free_ports(nodes), free_ports(nodes)]
        while len({port for row in self._ports for port in row}) < 3 * nodes:
            self._ports = [free_ports(nodes), free_ports(nodes), free_ports(nodes)]
        direct, behind, _ = self._ports
        self.replication = nodes
        self.proxies = [Proxy(lambda port=port: (HOST, port), dice) for port in behind]
        self.direct = ",".join(f"{HOST}:{port}" for port in direct)
        self._folder = folder
        self._extra = dict(extra or {})
        self.nodes: list[KafkaNode] = []

    @property
    def bootstrap(self) -> str:
        """Addresses for the hub's processes, through the proxies."""
        return ",".join(f"{HOST}:{proxy.port}" for proxy in self.proxies)

    async def start(self) -> None:
        """Start all nodes side by side and wait until they have met."""
        for proxy in self.proxies:
            await proxy.start()
        cluster = kafka_uuid()
        direct, _, control = self._ports
        for number, ports in enumerate(zip(direct, control, strict=True)):
            extra = self._settings(number) | self._extra
            place = self._folder / f"node-{number + 1}"
            self.nodes.append(
                KafkaNode(place, extra=extra, node=(number + 1, cluster), ports=ports)
            )
        await self.whole()

    async def whole(self) -> None:
        """Start what does not run, and wait until every node is a member.

        Raises:
            HubError: a node does not start.
        """
        try:
            await asyncio.gather(*(node.start() for node in self.nodes))
        except HubError:
            # On a busy machine three recoveries at once can take longer than one may.
            await asyncio.gather(*(node.start() for node in self.nodes))
        async with asyncio.timeout(_WHOLE_SECONDS):
            while len((await self.metadata())["brokers"]) < len(self.nodes):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End all at once: in order the last of three would wait for the other two."""
        await asyncio.gather(*(node.kill() for node in self.nodes))
        await asyncio.gather(*(proxy.stop() for proxy in self.proxies))

    def clear(self) -> None:
        """Clear the weather of every proxy."""
        for proxy in self.proxies:
            proxy.clear()

    async def metadata(self) -> dict:
        """What a live node knows: ``brokers``, ``controller_id``, ``topics`` with their leaders."""
        client = AIOKafkaAdminClient(bootstrap_servers=self.direct)
        try:
            await client.start()
            return (await client._get_cluster_metadata([])).to_object()
        finally:
            await client.close()

    async def leader(self, topic: str, partition: int) -> int:
        """Index in :attr:`nodes` of a partition's leader; -1: none now."""
        client = AIOKafkaAdminClient(bootstrap_servers=self.direct)
        try:
            await client.start()
            found = (await client._get_cluster_metadata([topic])).to_object()
        finally:
            await client.close()
        for one in found["topics"][0]["partitions"]:
            if one["partition"] == partition:
                return max(int(one["leader"]) - 1, -1)
        return -1

    def freeze(self, number: int) -> None:
        """SIGSTOP a node."""
        os.kill(self.nodes[number].pid or 0, signal.SIGSTOP)

    def thaw(self, number: int) -> None:
        """SIGCONT a node."""
        os.kill(self.nodes[number].pid or 0, signal.SIGCONT)

    def _settings(self, number: int) -> dict[str, str]:
        direct, behind, control = (row[number] for row in self._ports)
        proxy = self.proxies[number].port
        voters = ",".join(f"{n + 1}@{HOST}:{port}" for n, port in enumerate(self._ports[2]))
        own = {
            "node.id": str(number + 1),
            "controller.quorum.voters": voters,
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,HUB:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "listeners": f"PLAINTEXT://{HOST}:{direct},HUB://{HOST}:{behind},CONTROLLER://{HOST}:{control}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{direct},HUB://{HOST}:{proxy}",
        }
        return own | _SOON | (_SAFE if self.replication > 1 else {})
