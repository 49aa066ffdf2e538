"""Part pages, second half: the lag board over two thousand partitions that really move.

The hub's own topics get so many partitions that its groups read two thousand of them, with a real
worker behind them and the city's day coming in at a pace. A foreign group reads the facts as well
and leaves one partition alone: it must stand first on the board.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.contracts.catalogues import catalogue
from hub.embedded.ports import free_ports
from hub.kernel.errors import HubError
from hub.runtime.bench_cities import city
from hub.runtime.bench_grounds import Ground, Input, ground
from hub.runtime.bench_inputs import raw
from hub.runtime.bench_runs import processes
from tests.bench.jobs import Place
from tests.bench.latencies import paced
from tests.bench.pages import answered, opened, served, window
from tests.bench.sign_ins import address
from tests.bench.watchers import stream_of
from tests.browser.browsers import CHROMIUM, chromium
from tests.browser.waits import until

RATE = 300
SLOW_MS = 100
VIEWS = ("/lag", "/lag?order=lag", "/lag?order=late", "/lag?group=warehouse")
GROUP = "warehouse"
_SAMPLE_SECONDS = 5.0
_COMMIT_SECONDS = 2.0
_PATIENCE = 120.0
_ASKED = 10
_TASKS = """() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) window.longest = Math.max(window.longest, one.duration);
  }).observe({ type: "longtask", buffered: true });
}"""


async def board(place: Place, partitions: int, seconds: int) -> tuple[dict[str, Any], list[str]]:
    """Bytes, main-thread tasks and the sampler's cadence with many partitions.

    Args:
        place: Broker, database, keys.
        partitions: That the hub's groups read, at least.
        seconds: For which each view is looked at.

    Returns:
        Figures, and what was not right.
    """
    read = [name for name in catalogue().topics if name.partition(".")[0] in {"in", "event"}]
    ports = dict(zip(("console_port", "sampler_port"), free_ports(2), strict=True))
    each = -(-partitions // len(read))
    problems: list[str] = []
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(ground(*place, partitions=each, **ports))
        await stack.enter_async_context(processes(here, ("hub.cli.main", "worker")))
        await _claimed(here, partitions)
        facts = [name for name in read if name.startswith("event.")]
        await stack.enter_async_context(
            _background(_flow(here, raw(here.settings, city(20_000).day)))
        )
        left: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await stack.enter_async_context(_background(_warehouse(here, facts, left)))
        people = await stack.enter_async_context(served(here))
        first = await _stuck_first(people[0], f"{GROUP}-{await asyncio.wait_for(left, _PATIENCE)}")
        if not first:
            problems.append("board: the stuck partition does not stand first")
        rows = await here.db.fetchval("SELECT count(*) FROM partition_claim")
        gaps: list[int] = []
        await stack.enter_async_context(_background(_cadence(here, gaps)))
        figures = await _looked_at(here, people[0], seconds)
        figures |= {"sampler_longest_gap_ms": max(gaps, default=0), "pictures": len(gaps)}
        server = await answered(await opened(people), _ASKED)
    return {
        "partitions": rows,
        "board_rows": rows + each * len(facts),
        **figures,
        "crowded_server_p95_ms": max(one.p95_ms for one in server.values()),
        "crowded_slow_pages": {k: v.p95_ms for k, v in server.items() if v.p95_ms > SLOW_MS},
    }, problems


async def _claimed(here: Ground, wanted: int) -> None:
    await until(
        lambda: here.db.fetchval("SELECT count(*) FROM partition_claim"),
        lambda held: held >= wanted,
        seconds=_PATIENCE,
        about=f"of {wanted} partitions the worker holds",
    )


@asynccontextmanager
async def _background(work: Any) -> AsyncIterator[None]:
    """Work that goes on meanwhile; if it ends by an error, so does the run."""
    task = asyncio.create_task(work)
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _flow(here: Ground, records: Sequence[Input]) -> None:
    """The day, over and over: repeats are decided as repeats, and every position moves."""
    while True:
        await paced(here, records, RATE)


async def _warehouse(here: Ground, topics: Sequence[str], left: asyncio.Future[str]) -> None:
    """A foreign group that commits the ends it sees, but for the busiest partition."""
    reader = AIOKafkaConsumer(
        bootstrap_servers=here.settings.kafka, group_id=GROUP, enable_auto_commit=False
    )
    await reader.start()
    try:
        reader.assign(list(await here.ends(topics)))
        stuck: TopicPartition | None = None
        while True:
            ends = await here.ends(topics)
            await reader.commit({at: end for at, end in ends.items() if at != stuck})
            await asyncio.sleep(_COMMIT_SECONDS)
            if stuck is None and any(ends.values()):
                stuck = max(ends, key=lambda at: ends[at])
                left.set_result(f"{here.settings.plain(stuck.topic)}-{stuck.partition}")
    finally:
        await reader.stop()


async def _stuck_first(client: httpx.AsyncClient, row: str) -> bool:
    """Whether the board puts a partition first before our patience ends."""
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit:
        text = (await client.get("/lag")).text
        if text.partition('<tr id="p-')[2].startswith(f'{row}"'):
            return True
        await asyncio.sleep(1)
    return False


async def _cadence(here: Ground, gaps: list[int]) -> None:
    """Milliseconds between pictures, as the sampler wrote them."""
    before: tuple[int, int] | None = None
    while True:
        found = await here.db.fetchrow("SELECT number, at FROM picture")
        if found and before and found["number"] == before[0] + 1:
            gaps.append(found["at"] - before[1])
        before = tuple(found) if found else None
        await asyncio.sleep(0.3)


async def _looked_at(here: Ground, client: httpx.AsyncClient, seconds: int) -> dict[str, Any]:
    sizes, tasks = [], []
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium()) if CHROMIUM else None
        for view in VIEWS:
            following = asyncio.create_task(_heaviest(client, view, seconds))
            if browser:
                async with window(here, browser, client) as page:
                    await page.add_init_script(f"({_TASKS})()")
                    await page.goto(f"{address(here)}{view}")
                    await asyncio.sleep(seconds)
                    tasks.append(round(await page.evaluate("window.longest")))
            sizes.append(await following)
    return {
        "sse_kb_per_5s": max(sizes),
        "sse_kb_by_view": dict(zip(VIEWS, sizes, strict=True)),
        **({"longest_task_ms": round(max(tasks), 1), "task_ms_by_view": tasks} if tasks else {}),
    }


async def _heaviest(client: httpx.AsyncClient, view: str, seconds: int) -> float:
    """Kilobytes that a page's stream carries for a picture, at most; one comes every 5 s."""
    stream = stream_of((await client.get(view)).text)
    by_picture: dict[str, int] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), client.stream("GET", stream, timeout=None) as answer:
            name = ""
            async for line in answer.aiter_lines():
                name = line[4:] if line.startswith("id: ") else name
                by_picture[name] = by_picture.get(name, 0) + len(line.encode()) + 1
    if len(by_picture) < max(1, seconds // _SAMPLE_SECONDS - 2):
        raise HubError(f"The stream of {view} carried {len(by_picture)} pictures in {seconds} s.")
    return round(max(by_picture.values()) / 1024, 1)
