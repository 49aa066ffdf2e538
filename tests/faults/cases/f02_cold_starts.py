"""F02: all workers die at once; a cold start reads offsets from the database, nothing else."""

from __future__ import annotations

import asyncio
import random
import time

import asyncpg

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.sites import Site

CASE = Case(
    "F02",
    "全部工作进程同时被杀,冷启动",
    "All workers killed at once; cold start",
    quick=Scale(rounds=3, seconds=3, load=Load(150), recovery=30),
    full=Scale("full", rounds=10, seconds=10, load=Load(200, people=100_000), recovery=120),
    sabotages=("mirror_as_start",),
)
_READY_SECONDS = 120.0
_PERSONS = {"quick": 20_000, "full": 1_000_000}
_ON_RECORD = (
    "INSERT INTO person (uid, households, facts, identity, rev)"
    " SELECT decode(md5('on record ' || n), 'hex'), '[]', '[]', '{\"at\": {}, \"id\": {}}', 1"
    " FROM generate_series(1, $1) AS n"
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Put people on record, kill all workers, measure until every one is ready again."""
    connection = await asyncpg.connect(site.database)
    await connection.execute(_ON_RECORD, _PERSONS[scale.name], timeout=600)
    await connection.close()
    times = []
    for number in range(scale.rounds):
        await asyncio.sleep(dice.uniform(0.5, scale.seconds))
        site.tell(f"kill -9 全部 · all({number + 1}/{scale.rounds})")
        begin = time.monotonic()
        for worker in site.workers:
            worker.kill()
        await asyncio.sleep(0.5)
        ready = await asyncio.gather(*(site.ready(w, _READY_SECONDS) for w in site.workers))
        if not all(ready):
            site.broken.append(f"not ready within {_READY_SECONDS:.0f} s")
        times.append(round(time.monotonic() - begin, 1))
    site.notes["persons on record"] = _PERSONS[scale.name]
    site.notes["seconds until ready"] = times
