"""Afflictions: a worker is started again so that a signal can break what it stands on."""

from __future__ import annotations

import asyncio

from tests.faults.harness.children import Child
from tests.faults.harness.sites import Site

_MODULE = ["-m", "tests.faults.afflicted"]


async def afflict(site: Site, worker: Child) -> None:
    """Let its next life, and only that one, listen for the signals of ``afflicted``."""
    honest = worker.command
    worker.command = [honest[0], *_MODULE, *honest[2:]]
    starts = worker.starts
    worker.kill()
    await site.until(lambda: worker.starts > starts, 10, f"{worker.name} starts again")
    worker.command = honest
    await asyncio.sleep(1)
    if not await site.ready(worker):
        site.broken.append(f"{worker.name} does not come back")
