"""Recoveries: when a hub is well again (R6): little lag, and a fresh fact goes through."""

from __future__ import annotations

import asyncio
import time
from typing import Self

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.faults.harness.machines import crowding
from tests.faults.harness.sites import Site
from tests.faults.harness.tools import probe

_SMALL_LAG = 100
_READ_SECONDS = 2.5
"""Connectors look at their sources once a second."""


class Lag:
    """Records of ``in.*`` and ``event.*`` that no claim has passed; an asynchronous context.

    Args:
        site: Its brokers and database are asked directly.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=self._site.cluster.direct)
        self._connection = await asyncpg.connect(self._site.database)
        await self._consumer.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._consumer.stop()
        await self._connection.close()

    async def now(self) -> int:
        """The sum over all claims; ends are read first, as claims move on meanwhile."""
        claims = "SELECT topic, part, next_offset FROM partition_claim"
        places = [TopicPartition(row[0], row[1]) for row in await self._connection.fetch(claims)]
        ends = await self._consumer.end_offsets(places) if places else {}
        rows = await self._connection.fetch(claims)
        return sum(max(0, ends.get(TopicPartition(*row[:2]), 0) - row[2]) for row in rows)


async def outbox(site: Site) -> int:
    """Rows of the outbox."""
    return int(await site.query("SELECT count(*) FROM outbox"))


async def rested(site: Site, seconds: float = 60.0) -> None:
    """Wait until what a case has sent is worked; a case that goes on without would race.

    Raises:
        TimeoutError: work is left.
    """
    await asyncio.sleep(_READ_SECONDS)
    if not await quiet(site, seconds * crowding()):
        raise TimeoutError("the hub does not come to rest")


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
    async with Lag(site) as lag:
        while time.monotonic() < limit:
            if await lag.now() <= most:
                return True
            await asyncio.sleep(0.2)
        site.notes["lag left"] = await lag.now()
    return False


async def _empty(site: Site, seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if await outbox(site) == 0:
            return True
        await asyncio.sleep(0.2)
    return False
