"""The page of workers: who holds what, and how it changed hands."""

from __future__ import annotations

import re

from hub.kernel.worker_events import BEGAN, LOST, WorkerEvent
from hub.store import claims, crashes, worker_events
from hub.store.connections import close, connect
from tests.console.conftest import Rig
from tests.console.test_live_pages import take

OLD, NEW = "host/1a2b:1:x", "host:1:a"
PLACE = ("event.health", 0)


async def _happened(rig: Rig) -> None:
    """The old worker died, the new one took over what it held and crashed once."""
    now = rig.now()
    connection = await connect(rig.database)
    await worker_events.note(connection, WorkerEvent(now - 9_000, BEGAN, OLD, slot="0"))
    await claims.take(connection, {PLACE: 0, ("event.health", 1): 0}, owner=OLD, now=now - 8_000)
    await worker_events.note(connection, WorkerEvent(now - 5_000, BEGAN, NEW, slot="0"))
    await claims.take(connection, {PLACE: 0}, owner=NEW, now=now - 4_000)
    await worker_events.note(connection, WorkerEvent(now - 3_000, LOST, OLD, partitions=1))
    crash = crashes.Crash(*PLACE, 6, None, "ValueError at decider.py:7")
    await crashes.record(connection, crash, None, now=now - 2_000)
    await close(connection)


async def test_the_timeline_tells_what_happened_the_latest_first(rig: Rig) -> None:
    await _happened(rig)
    await take(rig)
    browser = await rig.signed_in("viewer")
    text = _plain((await browser.get("/workers?lang=zh")).text)
    told = [
        "崩溃 – ValueError at decider.py:7 · event.health/0@6 · 1×",
        "拒绝写入 host · 1 1 个分区 · 已不归其所有,手中的处理未写入",
        "接管 host · 1 1 个分区 · 来自 host · 1 · 纪元 ≤ 2 · 其中 1 个自上次接管以来没有进展",
        "启动 host · 1 槽位 0 · 同一槽位的前一进程异常中止",
        "接管 host · 1 2 个分区 · 此前无人持有 · 纪元 ≤ 1",
    ]
    places = [text.index(line) for line in told]
    assert places == sorted(places)


async def test_partitions_of_one_who_is_gone_are_shown_until_they_are_taken(rig: Rig) -> None:
    await _happened(rig)
    await take(rig)
    browser = await rig.signed_in("viewer")
    text = _plain((await browser.get("/workers?lang=zh")).text)
    assert "已消失,尚未接管 host · 1 – 1" in text
    connection = await connect(rig.database)
    await claims.take(connection, {("event.health", 1): 0}, owner=NEW, now=rig.now())
    await close(connection)
    await take(rig, 8)
    text = _plain((await browser.get("/workers?lang=zh")).text)
    assert "已消失,尚未接管" not in text
    assert "event.health 0–1 host · 1" in text


async def test_the_span_of_the_timeline_stands_in_the_address(rig: Rig) -> None:
    now = rig.now()
    connection = await connect(rig.database)
    await worker_events.note(connection, WorkerEvent(now - 7_200_000, BEGAN, OLD, slot="5"))
    await close(connection)
    await take(rig)
    browser = await rig.signed_in("viewer")
    assert "槽位 5" not in _plain((await browser.get("/workers?lang=zh")).text)
    assert "槽位 5" in _plain((await browser.get("/workers?lang=zh&span=24h")).text)


def _plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
