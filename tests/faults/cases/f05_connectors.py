"""F05: a connector dies between read, publish and cursor; its source restarts, too."""

from __future__ import annotations

import asyncio
import random

import asyncpg

from tests.faults.harness.children import Child
from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.sites import Site

CASE = Case(
    "F05",
    "连接器在读取、发布、存游标之间死亡;源系统重启",
    "Connectors die between read, publish and cursor; sources restart",
    quick=Scale(rounds=1, load=Load(100), recovery=30),
    full=Scale("full", rounds=20, load=Load(200), recovery=30),
    sabotages=("seen_skipped",),
)
_POINTS = ("src.read", "src.published", "src.cursor")
_HIT_SECONDS = 30.0


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Every connector dies at every point, and the departments' database ends its sessions."""
    for _ in range(scale.rounds):
        await asyncio.gather(*(_die(site, child, dice) for child in site.connectors.values()))
        connection = await asyncpg.connect(site.exchange)
        ended = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await connection.close()
        site.tell(f"源数据库断开 {ended} 个会话 · source ends {ended} sessions")
        await asyncio.sleep(2)


async def _die(site: Site, child: Child, dice: random.Random) -> None:
    for number, point in enumerate(_POINTS):
        deaths = len(child.exits)
        child.lives.append({"HUB_FAILPOINTS": f"{point}:{dice.randint(1, 2)}"})
        if number == 0:
            child.kill()
            deaths += 1
        took = await site.until(
            lambda deaths=deaths: len(child.exits) > deaths, _HIT_SECONDS, f"{child.name} {point}"
        )
        site.tell(f"{child.name} {point} {took:.1f} s")
        if took < 0:
            child.kill()
