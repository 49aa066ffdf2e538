"""Part idle: what a worker costs that has nothing, or next to nothing, to do."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.runtime.bench_grounds import Ground, ground
from hub.runtime.bench_meters import Meter
from hub.runtime.bench_runs import meter, processes, until_claimed
from tests.bench.grants import referring
from tests.bench.jobs import Place
from tests.bench.latencies import paced

PARTITIONS = 12
RATE = 20
_SETTLE = 8.0


async def idle(place: Place, seconds: int) -> dict[str, Any]:
    """Percent of one core: a whole worker with twelve partitions of each topic.

    Args:
        place: Broker, database, keys, and the bench profile.
        seconds: Of rest, and of twenty events a second.
    """
    async with (
        ground(*place, partitions=PARTITIONS) as here,
        processes(here, ("hub.cli.main", "worker")) as pids,
    ):
        await until_claimed(here)
        await asyncio.sleep(_SETTLE)
        read = meter(here, pids)
        rest = await _percent(read, asyncio.sleep(seconds))
        busy = await _percent(read, _some(here, seconds))
    return {
        "core_percent": rest["worker"],
        "core_percent_at_20_per_s": busy["worker"],
        "details": {
            "partitions": PARTITIONS,
            "seconds": seconds,
            **{f"{name} % at rest": value for name, value in rest.items()},
            **{f"{name} % at {RATE}/s": value for name, value in busy.items()},
        },
    }


async def _some(here: Ground, seconds: int) -> None:
    made = referring(here.settings, RATE * seconds)
    await paced(here, made.records, RATE)


async def _percent(read: Meter, work: Any) -> dict[str, float]:
    first = read.look(0)
    await work
    last = read.look(0)
    return {
        name: round((spent - first.cpu[name]) / (last.at - first.at) * 100, 2)
        for name, spent in last.cpu.items()
    }
