"""F20: workers come and go without end while the groups' coordinator moves."""

from __future__ import annotations

import asyncio
import random

from aiokafka.admin import AIOKafkaAdminClient

from tests.faults.harness.declarations import TRIPLE, Case, Load, Scale
from tests.faults.harness.sites import Site

CASE = Case(
    "F20",
    "再均衡风暴:进程不断进出,协调者不断换节点",
    "Rebalance storm: members come and go, the coordinator moves",
    topology=TRIPLE,
    quick=Scale(rounds=3, seconds=3, load=Load(60), recovery=60),
    full=Scale("full", rounds=20, seconds=10, load=Load(200), recovery=60),
    sabotages=("offsets_before_commit",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """A member more, the coordinator dies, a member less, the coordinator is back."""
    nodes = []
    for number in range(scale.rounds):
        extra = site.make_worker(f"extra-{number + 1}")
        site.workers.append(extra)
        await extra.start()
        await asyncio.sleep(dice.uniform(1, scale.seconds))
        node = await _coordinator(site)
        nodes.append(node)
        site.tell(f"kill -9 协调者 broker {node + 1} · coordinator")
        await site.cluster.nodes[node].kill()
        await asyncio.sleep(dice.uniform(0.5, scale.seconds))
        dice.choice(site.workers[:2]).kill()
        await extra.stop()
        site.workers.remove(extra)
        await site.cluster.whole()
        await asyncio.sleep(scale.seconds)
    site.notes["coordinators killed"] = nodes


async def _coordinator(site: Site) -> int:
    """Index of the node that looks after the deciders' group."""
    client = AIOKafkaAdminClient(bootstrap_servers=site.cluster.direct)
    try:
        await client.start()
        return int(await client.find_coordinator(f"{site.prefix}hub.decide")) - 1
    finally:
        await client.close()
