"""Part pages: every page of the console over a city with 100,000 events on record.

The city is job G's: its opening and its day come as raw records through a real worker, so whatever
a page reads was written by the hub. Server time is the whole answer to one client; first paint is
the browser's own figure, without anything in its cache.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median
from typing import Any, NamedTuple

import httpx

from hub.contracts.catalogues import catalogue
from hub.embedded.ports import free_ports
from hub.runtime.bench_cities import city
from hub.runtime.bench_grounds import Ground, ground
from hub.runtime.bench_inputs import raw
from hub.runtime.bench_runs import claimed, meter, processes, queued, until
from tests.bench.jobs import Place
from tests.bench.latencies import Spread, spread
from tests.bench.sign_ins import address, signed_in
from tests.browser import waits
from tests.browser.browsers import CHROMIUM, SIZE, chromium

MISSING = (
    "没有 Chromium,未测首次绘制与长任务:apt-get install chromium · "
    "no Chromium, so first paint and long tasks were left out: apt-get install chromium"
)
PEOPLE = (("operator", None), ("auditor", None), ("admin", None), ("department", "civil-affairs"))
"""Roles that together may open every page."""
_LINK = re.compile(r'href="(/[^"#]*)"')
_MAIN = re.compile(r"<main.*</main>", re.DOTALL)
_NO_PAGE = re.compile(r"^/static/|\.(xlsx|csv)($|\?)|[?&]lang=")
_DEPTH = 2
_PAINT = """() => new Promise((done) => {
  const told = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  if (told()) { done(told()); return; }
  new PerformanceObserver(() => { if (told()) done(told()); }).observe({ type: "paint" });
})"""


class Times(NamedTuple):
    """How often each page is asked for: of the server, and by the browser."""

    asked: int
    painted: int


Pages = dict[str, tuple[str, httpx.AsyncClient]]
"""Kind of page → address and somebody who may open it."""


async def pages(place: Place, events: int, times: Times) -> tuple[dict[str, Any], list[str]]:
    """Server time and first paint of every page.

    Args:
        place: Broker, database, keys.
        events: Of the city's day.
        times: How often each page is asked for.

    Returns:
        Figures, and what was not right.
    """
    ports = dict(zip(("console_port", "sampler_port"), free_ports(2), strict=True))
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(ground(*place, **ports))
        pids = await stack.enter_async_context(processes(here, ("hub.cli.main", "worker")))
        await _lived(here, events, pids)
        people = await stack.enter_async_context(served(here))
        referral = await here.db.fetchval("SELECT id FROM referral ORDER BY opened_at LIMIT 1")
        found = await opened(people, f"/journey/{referral}")
        server = await answered(found, times.asked)
        paints = await _painted(here, found, times.painted) if CHROMIUM else {}
        seen = await here.db.fetchval("SELECT count(*) FROM seen_event")
    problems = [] if seen >= events * 0.9 else [f"pages: {seen} events on record, not {events}"]
    figures: dict[str, Any] = {
        "events": seen,
        "server_p95_ms": max(one.p95_ms for one in server.values()),
        "pages": {
            kind: {"server_p50_ms": one.p50_ms, "server_p95_ms": one.p95_ms}
            | ({"first_paint_ms": paints[kind]} if paints else {})
            for kind, one in server.items()
        },
    }
    if paints:
        figures["first_paint_ms"] = max(paints.values())
    else:
        figures["left_out"] = MISSING
    return figures, problems


@asynccontextmanager
async def served(here: Ground) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Sampler and console as processes; yields people who are signed in, once figures show."""
    async with AsyncExitStack() as stack:
        for command in (("sampler",), ("console", "serve")):
            await stack.enter_async_context(processes(here, ("hub.cli.main", *command)))
        people = [await stack.enter_async_context(signed_in(here, *one)) for one in PEOPLE]
        await waits.until(
            lambda: people[0].get("/lag"),
            lambda answer: answer.status_code == httpx.codes.OK,
            about="the console shows no picture:",
        )
        yield people


async def _lived(here: Ground, events: int, pids: list[int]) -> None:
    """The opening and the day, until all of both is decided and on its way."""
    made = city(events)
    await here.load(raw(here.settings, [*made.opening, *made.day]))
    topics = [name for name in catalogue().topics if name.partition(".")[0] in {"in", "event"}]
    moved = claimed(here)

    async def left() -> int:
        behind = await here.made(topics) - await moved()
        return -max(0, behind) - int(await queued(here))

    await until(left, 0, meter(here, pids), pids)


async def opened(people: list[httpx.AsyncClient], *further: str) -> Pages:
    """One page of every kind that can be reached from the navigation by links.

    Args:
        people: Who open them, the last one only their own.
        further: Addresses that the first of them knows besides.
    """
    found: Pages = {}
    for client in people:
        start = "/own" if client is people[-1] else "/"
        asked = {start}
        links = [start, *(further if client is people[0] else ())]
        for depth in range(_DEPTH + 1):
            onward: list[str] = []
            for link in links:
                answer = await client.get(link)
                if answer.status_code != httpx.codes.OK:
                    continue
                found.setdefault(_kind(link), (link, client))
                onward += _links(answer.text, whole=depth == 0)
            links = []
            for link in onward:
                if _kind(link) not in asked:
                    asked.add(_kind(link))
                    links.append(link)
    return found


def _links(text: str, *, whole: bool) -> list[str]:
    """Addresses of pages that a page leads to, out of its main part or with the navigation."""
    inside = text if whole else "".join(_MAIN.findall(text))
    links = (link.replace("&amp;", "&") for link in _LINK.findall(inside))
    return [link for link in links if not _NO_PAGE.search(link)]


def _kind(link: str) -> str:
    """A page's address with an asterisk for each name in it, and the names of what it asks."""
    path, _, query = link.partition("?")
    first, *rest = path.strip("/").split("/")
    asked = sorted({part.partition("=")[0] for part in query.split("&") if part})
    return "/".join(["", first, *("*" for _ in rest)]) + (f"?{'&'.join(asked)}" if asked else "")


async def answered(found: Pages, times: int) -> dict[str, Spread]:
    """Kind of page → time for a whole answer; the pages in turn."""
    took: dict[str, list[float]] = {kind: [] for kind in found}
    for _ in range(times):
        for kind, (link, client) in found.items():
            begin = time.perf_counter()
            answer = await client.get(link)
            took[kind].append(time.perf_counter() - begin)
            answer.raise_for_status()
    return {kind: spread(each) for kind, each in took.items()}


async def _painted(here: Ground, found: Pages, times: int) -> dict[str, float]:
    """Kind of page → median of the time to its first content, ms."""
    took: dict[str, list[float]] = {kind: [] for kind in found}
    async with chromium() as browser:
        for _ in range(times):
            for kind, (link, client) in found.items():
                async with window(here, browser, client) as page:
                    await page.goto(f"{address(here)}{link}", wait_until="load")
                    took[kind].append(await page.evaluate(_PAINT))
    return {kind: round(median(each), 1) for kind, each in took.items()}


@asynccontextmanager
async def window(here: Ground, browser: Any, client: httpx.AsyncClient) -> AsyncIterator[Any]:
    """A window with somebody's session and an empty cache."""
    context = await browser.new_context(viewport=SIZE)
    cookies = [
        {"name": name, "value": value, "url": address(here)}
        for name, value in client.cookies.items()
    ]
    await context.add_cookies(cookies)
    try:
        yield await context.new_page()
    finally:
        await context.close()
