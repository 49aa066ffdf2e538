"""Three brokers are one cluster, and the hub's way to each leads through its proxy."""

from __future__ import annotations

import random

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.faults.harness.clusters import Cluster

pytestmark = [pytest.mark.embedded, pytest.mark.slow]


async def test_three_nodes_survive_the_death_of_a_leader_behind_their_proxies(tmp_path):
    cluster = Cluster(tmp_path, 3, random.Random(1))  # noqa: S311 - faults, not secrets
    try:
        await cluster.start()
        admin = AIOKafkaAdminClient(bootstrap_servers=cluster.direct)
        await admin.start()
        await admin.create_topics([NewTopic("t", 1, 3)])
        await admin.close()
        async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all") as producer:
            await producer.send_and_wait("t", b"one")
            assert sum(proxy.connections for proxy in cluster.proxies) > 0
            leader = await cluster.leader("t", 0)
            await cluster.nodes[leader].kill()
            await producer.send_and_wait("t", b"two")
            assert await cluster.leader("t", 0) != leader
            await cluster.whole()
            for proxy in cluster.proxies:
                proxy.cut()
            cluster.clear()
            sent = await producer.send_and_wait("t", b"three")
        assert sent.offset == 2
    finally:
        await cluster.stop()
