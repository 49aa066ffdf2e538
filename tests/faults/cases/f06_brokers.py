"""F06: brokers restart in turn, leaders are chased, then the controller dies."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.declarations import TRIPLE, Case, Load, Scale
from tests.faults.harness.sites import Site

CASE = Case(
    "F06",
    "三个 broker 依次重启;连杀分区首领;再杀控制器",
    "Three brokers restart in turn; leaders chased; the controller killed",
    topology=TRIPLE,
    quick=Scale(rounds=2, seconds=2, load=Load(80), recovery=60, stall=30),
    full=Scale("full", rounds=5, seconds=10, load=Load(200), recovery=60, stall=30),
    sabotages=("ack_before_send",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Clean restarts, kills of the leader of one partition, a kill of the controller."""
    cluster = site.cluster
    for number, node in enumerate(cluster.nodes):
        site.tell(f"broker {number + 1} 正常重启 · clean restart")
        await node.stop()
        await cluster.whole()
        await asyncio.sleep(scale.seconds)
    topic = f"{site.prefix}event.category"
    for _ in range(scale.rounds):
        leader = max(0, await cluster.leader(topic, dice.randrange(site.case.partitions)))
        site.tell(f"kill -9 首领 broker {leader + 1} · leader")
        await cluster.nodes[leader].kill()
        await asyncio.sleep(scale.seconds)
        await cluster.whole()
        await asyncio.sleep(scale.seconds)
    controller = int((await cluster.metadata())["controller_id"]) - 1
    site.tell(f"kill -9 控制器 broker {controller + 1} · controller")
    await cluster.nodes[controller].kill()
    await asyncio.sleep(scale.seconds)
    await cluster.whole()
