"""Pages that follow the sampler's pictures: what they say, and how their streams go on."""

from __future__ import annotations

import asyncio
import re

import httpx
import msgspec
import orjson
import pytest

from hub.console.apps import create_app
from hub.console.live_pages import PAGES
from hub.console.permissions import ROLES
from hub.monitoring.pictures import Partition, encode
from hub.runtime import http_servers
from hub.runtime.http_servers import Address
from hub.store import pictures
from hub.store.connections import close, connect
from tests.console.conftest import Rig
from tests.console.pictured import troubled

ADDRESSES = {
    "map": "/",
    "lag": "/lag",
    "throughput": "/throughput",
    "latency": "/latency",
    "connectors": "/connectors",
    "connector": "/connectors/health",
    "programs": "/programs",
    "program": "/programs/electricity-relief",
    "quality": "/quality",
    "workers": "/workers",
    "servers": "/servers",
    "alerts": "/alerts",
}


async def take(rig: Rig, number: int = 7, **changes: object) -> None:
    """Put a picture on record, as the sampler does."""
    connection = await connect(rig.database)
    now = rig.now()
    picture = troubled(now)
    picture.number = number
    for name, value in changes.items():
        setattr(picture, name, value)
    await pictures.write(connection, number, now, encode(picture))
    await close(connection)
    async with asyncio.timeout(10):
        found = None
        while found is None or found.number != number:
            found = await rig.console.pictures.after(found.number if found else -1)


async def test_before_the_first_picture_the_page_says_what_to_start(rig: Rig) -> None:
    browser = await rig.signed_in("viewer")
    answer = await browser.get("/")
    assert answer.status_code == 503
    assert "hub sampler" in answer.text


async def test_the_start_page_names_the_silent_department_and_the_program_that_waits(
    rig: Rig,
) -> None:
    await take(rig)
    browser = await rig.signed_in("viewer")
    text = (await browser.get("/")).text
    assert "卫生健康委员会的住院登记已 9 小时 没有新数据" in text
    assert re.search(r"电费减免自 16 小时 前起未收到:36 份在等", text)
    english = (await browser.get("/?lang=en")).text
    assert "nothing new in Admissions and discharges for 9 h" in english


async def test_every_live_page_opens_in_both_languages(rig: Rig) -> None:
    await take(rig)
    browser = await rig.signed_in("operator")
    assert set(ADDRESSES) == set(PAGES)
    for path in ADDRESSES.values():
        for lang in ("zh", "en"):
            answer = await browser.get(path, params={"lang": lang})
            assert answer.status_code == 200, (path, answer.text[-600:])
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert not re.search(r"\sstyle=|<script(?![^>]*(src=|application/json))", answer.text)


async def test_pages_are_closed_to_departments_and_programs(rig: Rig) -> None:
    await take(rig)
    assert ROLES["department"].permissions
    browser = await rig.signed_in("department", scope="health")
    for path in [one for one in ADDRESSES.values() if one != "/"]:
        assert (await browser.get(path)).status_code == 403, path


async def test_a_stream_sends_what_changed_and_resumes_at_the_number_it_is_told(rig: Rig) -> None:
    await take(rig)
    browser = await rig.signed_in("viewer")
    page = await browser.get("/lag")
    found = re.search(r'data-live="([^"]+)"', page.text)
    assert found
    address = found[1].replace("&amp;", "&")
    await take(rig, number=8, partitions=[])
    kinds: list[tuple[str, str]] = []
    place = Address("127.0.0.1", 0, False, ("console", "控制台"), "HUB_CONSOLE")  # noqa: FBT003
    app = create_app(rig.settings, kafka=rig.settings.kafka, database=rig.database)
    async with (
        asyncio.timeout(20),
        http_servers.serving(app, place) as (url, _server),
        httpx.AsyncClient(base_url=url, cookies=dict(browser.cookies)) as client,
        client.stream("GET", address) as stream,
    ):
        async for line in stream.aiter_lines():
            if line.startswith("data: ") and '"id"' in line:
                kinds.append((orjson.loads(line[6:])["id"], line))
            if len(kinds) == 2:
                break
    assert [name for name, _ in kinds] == ["groups", "partitions"]
    assert "没有符合的分区" in kinds[1][1]


@pytest.mark.parametrize("path", ["/live/nothing", "/connectors/nobody", "/programs/nobody"])
async def test_what_does_not_exist_says_so(rig: Rig, path: str) -> None:
    await take(rig)
    browser = await rig.signed_in("viewer")
    answer = await browser.get(path)
    assert answer.status_code == 404 or "没有这个" in answer.text


async def test_of_two_thousand_partitions_the_stuck_one_stands_first_and_all_can_be_reached(
    rig: Rig,
) -> None:
    rows = [
        Partition("hub.decide", f"event.t{number // 50:02}", number % 50, 9, 9, 0, 0, "OK", 0, 0, 0)
        for number in range(2_000)
    ]
    rows[1_234] = msgspec.structs.replace(rows[1_234], status="STOP", lag=1, end=10, still=40_000)
    await take(rig, partitions=rows)
    browser = await rig.signed_in("viewer")
    page = (await browser.get("/lag")).text
    assert "1–50 / 2,000" in page
    assert re.findall(r'<tr id="(p-[^"]+)"', page)[0] == "p-hub.decide-event.t24-34"
    seen: set[str] = set()
    for _ in range(40):
        seen |= set(re.findall(r'<tr id="(p-[^"]+)"', page))
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        page = (await browser.get(onward[1].replace("&amp;", "&"))).text if onward else ""
    assert not page
    assert len(seen) == 2_000


async def test_many_claims_are_shown_sheet_by_sheet_those_that_are_held_first(rig: Rig) -> None:
    connection = await connect(rig.database)
    await connection.execute(
        "INSERT INTO partition_claim (topic, part, epoch, owner, next_offset, committed_at,"
        " held_by) SELECT 'event.health', n, 1, 'w', n, 0, CASE n WHEN 137 THEN 'op' END"
        " FROM generate_series(0, 149) n"
    )
    await close(connection)
    browser = await rig.signed_in("operator")
    shown = [
        re.findall(r'name="place" value="([^"]+)"', (await browser.get(path)).text)
        for path in ("/offsets", "/offsets?topic=event.health&page=2")
    ]
    assert [len(each) for each in shown] == [100, 50]
    assert shown[0][:2] == ["event.health/137", "event.health/0"]
    assert len({*shown[0], *shown[1]}) == 150
