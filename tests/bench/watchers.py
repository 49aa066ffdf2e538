"""Part console: what twenty open live pages cost those who do the work.

Interleaved pairs at a paced rate, sampler and console running all the time: once nobody looks, once
twenty pages follow the pictures. Compared are CPU of worker and database per event, and latency.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median
from typing import Any, NamedTuple

import httpx

from hub.contracts.codecs import decode_event
from hub.embedded.ports import free_ports
from hub.kernel.errors import HubError
from hub.runtime.bench_grounds import Ground, ground
from hub.runtime.bench_meters import Meter
from hub.runtime.bench_runs import meter, processes, until_claimed
from tests.bench import latencies
from tests.bench.grants import PROGRAMS, referring
from tests.bench.jobs import Place
from tests.bench.latencies import Sent
from tests.bench.sign_ins import signed_in

RATE = 1_000
PAGES = 20
ADDRESSES = (
    "/",
    "/lag",
    "/throughput",
    "/latency",
    "/connectors",
    "/programs",
    "/workers",
    "/servers",
)
_PEOPLE = 200_000
_ANSWERS = 200


class Arm(NamedTuple):
    """One side of a pair."""

    cpu_us: float
    p99_ms: float
    kilobytes: float


async def watchers(place: Place, pairs: int, seconds: int) -> tuple[dict[str, Any], list[str]]:
    """Pairs of nobody and twenty pages.

    Args:
        place: Broker, database, keys, and the bench profile.
        pairs: How many.
        seconds: Of each side.

    Returns:
        Figures, and what was not right.
    """
    ports = dict(zip(("console_port", "sampler_port"), free_ports(2), strict=True))
    problems: list[str] = []
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(ground(*place, **ports))
        pids = await stack.enter_async_context(processes(here, ("hub.cli.main", "worker")))
        await stack.enter_async_context(processes(here, ("hub.cli.main", "sampler")))
        command = ("hub.cli.main", "console", "serve")
        await stack.enter_async_context(processes(here, command))
        await until_claimed(here)
        client = await stack.enter_async_context(signed_in(here))
        sides = _Sides(here, meter(here, pids), client, seconds, problems)
        await sides.one(0)
        found = [(await sides.one(0), await sides.one(PAGES)) for _ in range(pairs)]
        answers = await _answers(client)
    return _figures(found, seconds) | answers, problems


class _Sides:
    """Loads of people who do not meet, with and without pages."""

    def __init__(
        self,
        here: Ground,
        read: Meter,
        client: httpx.AsyncClient,
        seconds: int,
        problems: list[str],
    ) -> None:
        self._here, self._read, self._client = here, read, client
        self._seconds, self._problems = seconds, problems
        self._first = 0

    async def one(self, pages: int) -> Arm:
        self._first += _PEOPLE
        made = referring(self._here.settings, RATE * self._seconds, self._first)
        names = [decode_event(one.value).event_id for one in made.records]
        async with _watched(self._client, pages) as bytes_read:
            first = self._read.look(0)
            found, wrong = await latencies.to_inboxes(
                self._here, Sent(made.records, names), RATE, PROGRAMS, len(made.referrals)
            )
            last = self._read.look(0)
        self._problems += wrong
        spent = sum(last.cpu[name] - first.cpu[name] for name in ("worker", "database"))
        return Arm(spent / len(made.records) * 1e6, found.p99_ms, sum(bytes_read) / 1024)


@asynccontextmanager
async def _watched(client: httpx.AsyncClient, pages: int) -> AsyncIterator[list[int]]:
    """Pages that are open, each with its stream; yields the bytes each has read."""
    read = [0] * pages
    tasks = [
        asyncio.create_task(_follow(client, ADDRESSES[number % len(ADDRESSES)], read, number))
        for number in range(pages)
    ]
    try:
        yield read
        if broken := [task for task in tasks if task.done()]:
            await broken[0]
            raise HubError("A live page ended by itself.")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(client: httpx.AsyncClient, address: str, read: list[int], number: int) -> None:
    stream = stream_of((await client.get(address)).text)
    async with client.stream("GET", stream, timeout=None) as answer:
        async for chunk in answer.aiter_raw():
            read[number] += len(chunk)


def stream_of(page: str) -> str:
    """The address of a live page's stream."""
    found = re.search(r'data-live="([^"]+)"', page)
    if found is None:
        raise HubError("A page that was to be live is not.")
    return found[1].replace("&amp;", "&")


async def _answers(client: httpx.AsyncClient) -> dict[str, float]:
    """Milliseconds in which whole pages are answered, one after another."""
    took = []
    for number in range(_ANSWERS):
        begin = time.perf_counter()
        answer = await client.get(ADDRESSES[number % len(ADDRESSES)])
        took.append(time.perf_counter() - begin)
        answer.raise_for_status()
    found = latencies.spread(took)
    return {"page_p50_ms": found.p50_ms, "page_p95_ms": found.p95_ms}


def _figures(pairs: list[tuple[Arm, Arm]], seconds: int) -> dict[str, Any]:
    return {
        "pairs": len(pairs),
        "pages": PAGES,
        "cpu_us_0_pages": round(median(before.cpu_us for before, _ in pairs), 1),
        "cpu_us_20_pages": round(median(after.cpu_us for _, after in pairs), 1),
        "cpu_ratio": round(median(after.cpu_us / before.cpu_us for before, after in pairs), 3),
        "p99_ms_0_pages": round(median(before.p99_ms for before, _ in pairs), 1),
        "p99_ms_20_pages": round(median(after.p99_ms for _, after in pairs), 1),
        "p99_ratio": round(median(after.p99_ms / before.p99_ms for before, after in pairs), 3),
        "kb_per_page_and_5_s": round(
            median(after.kilobytes for _, after in pairs) / PAGES / seconds * 5, 1
        ),
    }
