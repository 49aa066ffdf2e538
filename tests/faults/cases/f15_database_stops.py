"""F15: PostgreSQL ends at once under load, and COMMITs are cut off with either outcome."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.commits import CommitCut
from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.sites import Site

CASE = Case(
    "F15",
    "数据库立即停止;COMMIT 途中断线,两种结果",
    "PostgreSQL stops at once; COMMIT cut off on its way, both outcomes",
    quick=Scale(rounds=2, seconds=2, load=Load(100), recovery=30),
    full=Scale("full", rounds=10, seconds=5, load=Load(200), recovery=30),
    ci=True,
    sabotages=("seen_skipped",),
)
_CUTS = 10
_EVERY = 7
_CUT_SECONDS = 30.0


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Stop and start the server, then cut COMMITs before it and before its answer."""
    for number in range(scale.rounds):
        await asyncio.sleep(dice.uniform(1, 4))
        site.tell(f"PostgreSQL immediate stop {number + 1}")
        if number % 2:
            await site.plant.server.kill()
        else:
            await site.plant.stop_at_once()
        await asyncio.sleep(dice.uniform(0, scale.seconds))
        await site.plant.server.start()
    await asyncio.sleep(3)
    for executed in (False, True):
        cut = CommitCut(_CUTS, executed, every=_EVERY)
        site.postgres.commits = cut
        what = "执行后断开 · executed, answer lost" if executed else "到达前断开 · never arrived"
        site.tell(f"COMMIT {what} ×{_CUTS}")
        await site.until(
            lambda cut=cut: cut.done >= _CUTS, _CUT_SECONDS, f"{_CUTS} commits cut, {what}"
        )
        site.notes[f"commits cut, executed {executed}"] = cut.done
        site.postgres.commits = None
