"""F09: late, reset and half-open lines to the broker; slower, but never stuck."""

from __future__ import annotations

import asyncio
import random
import time
from itertools import groupby

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.proxies import Weather
from tests.faults.harness.sites import Site
from tests.faults.harness.tools import said

CASE = Case(
    "F09",
    "线路劣化:延迟、重置、半开",
    "Bad lines: delay, resets, half-open",
    quick=Scale(seconds=20, load=Load(100), recovery=60),
    full=Scale("full", seconds=450, load=Load(200), recovery=60),
    sabotages=("mirror_as_start",),
)
_LEAST_PER_S = 50
_MOST_WAIT = 30
_WORKED = (
    "SELECT coalesce(sum(next_offset), 0)::bigint FROM partition_claim WHERE starts_with(topic, $1)"
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Delay with resets, and then a new connection is accepted and never answered."""
    del dice
    (proxy,) = site.cluster.proxies
    begin, before = time.monotonic(), await _worked(site)
    site.tell(f"延迟 200±50 ms,每秒重置 5% · delay, resets {scale.seconds:.0f} s")
    proxy.weather = Weather(delay=0.1, jitter=0.025, resets=0.05)
    await asyncio.sleep(scale.seconds)
    rate = (await _worked(site) - before) / (time.monotonic() - begin)
    site.notes["facts per second"], site.notes["resets"] = round(rate), proxy.resets
    if rate < _LEAST_PER_S:
        site.broken.append(f"{rate:.0f} facts/s, at least {_LEAST_PER_S}")
    proxy.weather = Weather(half_open=True, resets=0.3)
    site.tell("半开:接受而不应答 · half-open")
    await asyncio.sleep(scale.seconds)
    proxy.clear()
    await asyncio.sleep(3)
    site.notes["longest wait s"] = wait = _longest_wait(site)
    if wait > _MOST_WAIT + scale.seconds:
        site.broken.append(f"a call waited {wait} s")


async def _worked(site: Site) -> int:
    """Raw records that intake has taken off; each is one fact of a department."""
    return int(await site.query(_WORKED, f"{site.prefix}in."))


def _longest_wait(site: Site) -> int:
    """Longest time without any acknowledgement to a department, in seconds."""
    lines = said(site.load) if site.load else []
    idle = [line["acked_per_s"] == 0 for line in lines if "acked_per_s" in line]
    return max((len(list(run)) for still, run in groupby(idle) if still), default=0)
