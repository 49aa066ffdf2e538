from __future__ import annotations

import asyncio
import json
import time

import asyncpg

from hub.monitoring.pictures import Picture, encode
from hub.store import pictures
from tests.console.pictured import troubled


def put(dsn: str, picture: Picture | None, at: int = 0) -> None:
    async def written() -> None:
        db = await asyncpg.connect(dsn)
        await db.execute("DELETE FROM picture")
        if picture is not None:
            await pictures.write(db, 1, at or picture.at, encode(picture))
        await db.close()

    asyncio.run(written())


def calm(now: int) -> Picture:
    return Picture(1, now, 1, workers=troubled(now).workers)


def test_status_says_first_what_is_wrong_and_ends_with_1(shell, prepared, monkeypatch):
    for name, value in prepared.items():
        monkeypatch.setenv(name, value)
    dsn, now = prepared["HUB_DATABASE"], int(time.time() * 1000)
    put(dsn, None)
    code, out, _ = shell("status")
    assert (code, "hub sampler" in out) == (1, True)
    put(dsn, troubled(now))
    code, out, _ = shell("status")
    assert code == 1
    assert "卫生健康委员会的住院登记已 9 小时 没有新数据" in out
    assert "电费减免自 16 小时 前起未收到:36 份在等" in out
    assert out.index("没有新数据") < out.index("hub.decide") < out.index("收不到")
    assert "项目正常:1" in out
    code, out, _ = shell("status", "--json")
    found = json.loads(out)
    assert code == 1
    assert found["findings"][0]["severity"] == "bad"
    assert {one["program"] for one in found["programs"]} == {"electricity-relief", "medical-aid"}


def test_status_ends_with_0_when_nothing_is_wrong_and_with_1_when_the_picture_is_old(
    shell, prepared, monkeypatch
):
    for name, value in prepared.items():
        monkeypatch.setenv(name, value)
    dsn, now = prepared["HUB_DATABASE"], int(time.time() * 1000)
    put(dsn, calm(now))
    code, out, _ = shell("status")
    assert (code, "一切正常" in out) == (0, True)
    put(dsn, calm(now - 60_000))
    code, out, _ = shell("status")
    assert code == 1
    assert "采样进程已停" in out
