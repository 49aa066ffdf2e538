"""A city at work without any incident: nothing is red, every page is clean, figures are true."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from tests.browser.accessibility import violations
from tests.browser.browsers import Seat
from tests.browser.readings import red
from tests.browser.sites import Site

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.timeout(240)]
ACCOUNTS = ("op", "audit", "admin")
"""Together they see every page."""
_CALM_SECONDS = 15
_PAGES = 14
"""The console has more of them."""
_PICTURES = 3


async def test_without_an_incident_nothing_is_red(city: Site, seat: Seat) -> None:
    until = time.monotonic() + _CALM_SECONDS
    while time.monotonic() < until:
        assert not await red(seat)
        await asyncio.sleep(1)
    assert await seat.page.locator("[data-clock]").inner_text() != "--:--:--"


async def test_no_page_has_a_barrier_an_error_or_an_outside_request(
    city: Site, browser: Any
) -> None:
    seen: set[str] = set()
    barriers: list[str] = []
    seats = [Seat(browser, city.desk.url) for _ in ACCOUNTS]
    for seat, account in zip(seats, ACCOUNTS, strict=True):
        await seat.sit(account, city.desk.password)
    await asyncio.gather(*(_walk(seat, seen, barriers) for seat in seats))
    for seat in seats:
        await seat.leave()
        assert not seat.wrong
    assert not barriers
    assert len(seen) > _PAGES


async def _walk(seat: Seat, seen: set[str], barriers: list[str]) -> None:
    """Every page of the navigation, and of each the first page that it leads on to."""
    nav = seat.page.get_by_role("navigation", name="页面", exact=True)
    for link in await nav.get_by_role("link").all():
        path = str(await link.get_attribute("href"))
        if path in seen:
            continue
        seen.add(path)
        await seat.click(nav.locator(f"a[href='{path}']"))
        await seat.page.wait_for_url(seat.url + path)
        barriers += await _barriers(seat)
        inner = seat.page.locator("main table a[href^='/'], main .card a[href^='/']").first
        onward = str(await inner.get_attribute("href")) if await inner.count() else path
        if re.sub(r"[^/]+$|[?].*", "", onward) not in seen:
            seen.add(re.sub(r"[^/]+$|[?].*", "", onward))
            await seat.page.goto(seat.url + onward)
            barriers += await _barriers(seat)
            await seat.page.goto(seat.url + path)


async def _barriers(seat: Seat) -> list[str]:
    found: list[str] = []
    await seat.page.get_by_role("heading", level=1).first.wait_for()
    for theme in ("light", "dark"):
        await seat.page.emulate_media(color_scheme=theme)
        found += [f"{seat.page.url} {theme}: {one}" for one in await violations(seat.page)]
    wide = await seat.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found if wide <= 0 else [*found, f"{seat.page.url} is {wide} px too wide"]


async def test_lag_and_copies_on_the_pages_are_those_of_a_counter_of_our_own(
    city: Site, seat: Seat
) -> None:
    await _figures_agree(city, seat)


async def test_they_are_also_after_the_worker_was_killed(city: Site, seat: Seat) -> None:
    await city.restart_worker()
    await _figures_agree(city, seat)


async def _figures_agree(city: Site, seat: Seat) -> None:
    """Each figure lies between what was true before and after the picture it comes from."""
    await seat.start()
    await seat.go("项目")
    for _ in range(_PICTURES):
        before = await _counted(city)
        shown = await _shown_after_a_picture(seat)
        after = await _counted(city)
        assert shown.keys() == before.keys()
        wrong = {
            k: (before[k], v, after[k]) for k, v in shown.items() if not before[k] <= v <= after[k]
        }
        assert not wrong
    await seat.go("积压")
    place = ("event.health", 0)
    before_end = await _end(city, *place)
    await _next_picture(seat)
    shown_end = await _board_end(seat, *place)
    assert before_end <= shown_end <= await _end(city, *place)


async def _counted(city: Site) -> dict[str, int]:
    rows = await city.stage.pool.fetch(
        "SELECT id, next_seq - 1 AS numbered FROM subscription WHERE topic LIKE 'program.%'"
    )
    return {row["id"]: row["numbered"] for row in rows}


async def _next_picture(seat: Seat) -> None:
    clock = seat.page.locator("[data-clock]")
    shown = await clock.inner_text()
    for _ in range(2):
        # The picture that was being taken when we counted is let pass.
        await seat.page.wait_for_function(
            "before => document.querySelector('[data-clock]').textContent !== before", arg=shown
        )
        shown = await clock.inner_text()


async def _shown_after_a_picture(seat: Seat) -> dict[str, int]:
    await _next_picture(seat)
    found = {}
    for row in await seat.page.locator("main tbody tr").all():
        link = await row.get_by_role("link").first.get_attribute("href")
        text = await row.locator("td").nth(3).inner_text()
        found[str(link).rpartition("/")[2]] = _number(text)
    return found


async def _board_end(seat: Seat, topic: str, part: int) -> int:
    row = seat.page.locator("main tbody tr").filter(
        has_text=re.compile(rf"{re.escape(topic)}\s+{part}\s")
    )
    return _number(await row.first.locator("td").nth(8).inner_text())


def _number(text: str) -> int:
    found = re.match(r"[0-9,]+", text.strip())
    assert found, text
    return int(found[0].replace(",", ""))


async def _end(city: Site, topic: str, part: int) -> int:
    reader = AIOKafkaConsumer(bootstrap_servers=city.stage.settings.kafka)
    await reader.start()
    try:
        (place,) = [
            at for at in city.stage.places(topic) if (at.topic, at.partition) == (topic, part)
        ]
        ends = await reader.end_offsets([place])
        return int(ends[place])
    finally:
        await reader.stop()
