"""Recoveries: when a hub is well again (R6): little lag, and a fresh fact goes through."""

from __future__ import annotations

import asyncio
import time

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.faults.harness.sites import Site
from tests.faults.harness.tools import probe

_SMALL_LAG = 100


async def lag(site: Site) -> int:
    """Records of ``in.*`` and ``event.*`` that no claim has passed yet."""
    connection = await asyncpg.connect(site.database)
    try:
        rows = await connection.fetch("SELECT topic, part, next_offset FROM partition_claim")
    finally:
        await connection.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=site.cluster.direct)
    await consumer.start()
    try:
        places = {TopicPartition(row[0], row[1]): row[2] for row in rows}
        ends = await consumer.end_offsets(list(places)) if places else {}
    finally:
        await consumer.stop()
    return sum(max(0, ends[place] - offset) for place, offset in places.items())


async def outbox(site: Site) -> int:
    """Rows of the outbox."""
    return int(await site.query("SELECT count(*) FROM outbox"))


async def quiet(site: Site, seconds: float) -> bool:
    """Wait until nothing is under way any more."""
    return await _until(site, 0, seconds) and await _empty(site, seconds)


async def recovered(site: Site, seed: int, seconds: float) -> float | None:
    """Seconds from the heal to R6; None: not within twice the limit.

    Args:
        site: Healed.
        seed: Of the probe's person.
        seconds: The limit.
    """
    if not await _until(site, _SMALL_LAG, 2 * seconds):
        return None
    number = int(site.notes.get("probes", 0)) + 1
    site.notes["probes"] = number
    if not await probe(site, number, seed):
        return None
    return time.monotonic() - site.healed_at


async def _until(site: Site, most: int, seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if await lag(site) <= most:
            return True
        await asyncio.sleep(0.3)
    return False


async def _empty(site: Site, seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if await outbox(site) == 0:
            return True
        await asyncio.sleep(0.2)
    return False
