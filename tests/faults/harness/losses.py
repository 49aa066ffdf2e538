"""Losses: records vanish before they were worked. The hub stops, says so, and goes on by hand.

What is gone cannot be worked by anybody; so its facts count as uncertain once the hub has said
that they are lost. A hub that goes on in silence leaves them acknowledged, and the verifier
finds them lost.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from tests.faults.harness.declarations import Scale
from tests.faults.harness.logs import Stands, read
from tests.faults.harness.operators import let_go
from tests.faults.harness.recoveries import rested
from tests.faults.harness.sendings import Sending, sending
from tests.faults.harness.sites import Site
from tests.faults.loads.facts import Move

TOPIC = "in.civil-affairs.categories"
_STOP_SECONDS = 40.0
_STILL_SECONDS = 6.0
_STANDING = (
    "SELECT coalesce(array_agg(DISTINCT place), '{}') FROM alarm"
    " WHERE cleared_at IS NULL AND kind IN ('partition_stopped', 'topic_replaced')"
)
_CLAIMS = (
    "SELECT coalesce(json_object_agg(part, next_offset), '{}')::text FROM partition_claim"
    " WHERE topic = $1"
)
_MOVED = "SELECT count(*) FROM audit WHERE kind = 'offsets.moved' AND doc::text LIKE $1"
Harm = Callable[[Site, list[Stands]], Awaitable[None]]


async def lost_before_worked(
    site: Site, scale: Scale, dice: random.Random, harm: Harm, *, frozen: bool = False
) -> None:
    """Facts, then facts that vanish while no worker works, then facts behind them.

    Args:
        site: Without background load.
        scale: ``rounds`` is how many families each time.
        dice: Seeded.
        harm: Lets records of :data:`TOPIC` vanish; told what stands there.
        frozen: Workers are stopped by a signal and live on, instead of starting anew.
    """
    async with sending(site, dice.randrange(1, 4000)) as out:
        await out.send(_grants(out, scale.rounds))
        await rested(site)
        await _away(site, frozen=frozen)
        doomed = _grants(out, scale.rounds)
        await out.send(doomed)
        there = await _published(site, doomed)
        await harm(site, there)
        left = {one.digest for one in await read(site, TOPIC)}
        gone = [one for one in there if one.digest not in left]
        site.notes["records gone"] = len(gone)
        await _back(site, frozen=frozen)
        places = {f"{site.prefix}{TOPIC}/{one.part}" for one in gone}
        if not await _stops(site, places):
            return
        await _stands_still(site, out, scale.rounds)
        await _goes_on(site, len(gone))
        lost = {one.digest for one in gone}
        numbers = [move.fact.n for move in doomed if move.fact.digest in lost]
        out.generator.ledger.note(numbers, "unknown")
        await rested(site)


def _grants(out: Sending, count: int) -> list[Move]:
    return [out.builder.grant(out.family()) for _ in range(count)]


async def _away(site: Site, *, frozen: bool) -> None:
    for worker in site.workers:
        if frozen:
            worker.freeze()
        else:
            await worker.stop()


async def _back(site: Site, *, frozen: bool) -> None:
    for worker in site.workers:
        if frozen:
            worker.thaw()
        else:
            worker.again = True
            await worker.start()


async def _published(site: Site, moves: list[Move]) -> list[Stands]:
    """What stands on the topic once the connector has brought all of them.

    Raises:
        TimeoutError: it does not.
    """
    wanted = {move.fact.digest for move in moves}
    async with asyncio.timeout(_STOP_SECONDS):
        while True:
            there = await read(site, TOPIC)
            if wanted <= {one.digest for one in there}:
                return [one for one in there if one.digest in wanted]
            await asyncio.sleep(0.5)


async def _stops(site: Site, places: set[str]) -> bool:
    async def told() -> bool:
        return places <= set(await site.query(_STANDING))

    took = await site.until(told, _STOP_SECONDS, f"an alarm for each of {sorted(places)}")
    site.tell(f"已停并告警 · stopped with an alarm {took:.1f} s")
    return took >= 0


async def _stands_still(site: Site, out: Sending, count: int) -> None:
    """Facts that come meanwhile wait; health says why, and no claim moves over the hole."""
    stopped = set(await site.query(_STANDING))
    before = await site.query(_CLAIMS, site.prefix + TOPIC)
    await out.send(_grants(out, count))
    await asyncio.sleep(_STILL_SECONDS)
    shown: set[str] = set()
    for worker in site.workers:
        shown |= (await site.health(worker)).get("stopped", {}).keys()
    if not stopped <= shown:
        site.broken.append(f"health shows {sorted(shown)}, alarms stand for {sorted(stopped)}")
    after = await site.query(_CLAIMS, site.prefix + TOPIC)
    if len(stopped) == site.case.partitions and before != after:
        site.broken.append(f"claims moved while stopped: {before} to {after}")


async def _goes_on(site: Site, gone: int) -> None:
    """An operator holds, moves and lets go; what was lost stands in the audit afterwards."""
    places = sorted(place.removeprefix(site.prefix) for place in await site.query(_STANDING))
    whole = len(places) == site.case.partitions
    rows = await let_go(site, [TOPIC] if whole else places, "earliest")
    site.notes["offset moves"] = [
        {name: row[name] for name in ("part", "old", "new", "lost", "remade")} for row in rows
    ]
    on_record = await site.query(_MOVED, f"%{site.prefix}{TOPIC}%")
    remade = all(row["remade"] for row in rows)
    if on_record < len(places) or not (remade or gone == sum(map(_lost, rows))):
        site.broken.append(f"{gone} records are gone, and on record is {rows}")
    await site.until(
        lambda: _quiet_again(site), _STOP_SECONDS, "alarms end once the claims are moved"
    )


def _lost(row: dict[str, Any]) -> int:
    """How many records a row of a move calls lost, from e.g. ``8..9``."""
    first, _, last = row["lost"].partition("..")
    return int(last) - int(first) + 1 if first else 0


async def _quiet_again(site: Site) -> bool:
    return not await site.query(_STANDING)
