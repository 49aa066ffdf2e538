"""U01: the release before and this one side by side, worker by worker, there and back, under load."""

from __future__ import annotations

import asyncio
import random
import sys

from tests.faults.harness.children import Child
from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.releases import former_python
from tests.faults.harness.sites import Site

CASE = Case(
    "U01",
    "滚动升级与降级:新旧版本同时运行,数据库已迁移",
    "Rolling upgrade and back: old and new together on the migrated database",
    needs=("git",),
    quick=Scale(seconds=4, load=Load(80), recovery=60, stall=30),
    full=Scale("full", rounds=3, seconds=60, load=Load(200), recovery=60, stall=30),
    sabotages=("seen_skipped",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """The database is migrated; both workers become old, and both become new again."""
    del dice
    old = await former_python(site)
    site.notes["former release"] = old.commit
    for number in range(scale.rounds):
        for python in (str(old.python), sys.executable):
            for place in range(len(site.workers)):
                what = "新 · new" if python == sys.executable else "旧 · old"
                name = f"worker-{place + 1}-{number + 1}-{'new' if what[0] == '新' else 'old'}"
                site.tell(f"{name} {what}")
                await _replaced(site, place, name, python)
                await asyncio.sleep(scale.seconds)


async def _replaced(site: Site, place: int, name: str, python: str) -> None:
    """One worker ends in order, and another release takes its place."""
    before = site.workers[place]
    ended = asyncio.create_task(before.stop())
    await ended
    after = site.make_worker(name, python=python)
    if python != sys.executable:
        _apart(after)
    site.workers[place] = after
    await after.start()
    if not await site.ready(after):
        site.broken.append(f"{name} is not ready")
    if after.exits:
        site.broken.append(f"{name} ended with {[one.code for one in after.exits]}")


def _apart(worker: Child) -> None:
    """Neither this checkout nor its folder is importable there, and it is never sabotaged."""
    python, rest = worker.command[0], worker.command[worker.command.index("worker") :]
    worker.command = [python, "-P", "-m", "hub.cli.main", *rest]
    worker.environ.pop("PYTHONPATH", None)
