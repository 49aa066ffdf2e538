"""A connector tells the gateway how it is, and obeys what operators ask."""

from __future__ import annotations

import asyncio

import pytest

from hub.store import heartbeats
from hub.transports.heartbeats import Heart
from hub.transports.switches import Switch

NOW = 1_743_000_000_000


async def test_a_connector_is_told_what_it_is_asked_until_it_says_it_obeyed(door):
    number = await heartbeats.ask(door.db, "health", "pause", by="op", now=NOW)
    beat = {"instance": "a", "items": {"admissions": {"errors": 2, "error": "OSError"}}}
    async with door.client("department:health") as client:
        for _ in range(2):
            answer = await client.post("/connectors/health/heartbeat", json=beat)
            assert answer.json() == {"commands": [[number, "pause"]]}
        said = beat | {"paused": True, "obeyed": [number]}
        answer = await client.post("/connectors/health/heartbeat", json=said)
        assert answer.json() == {"commands": []}
    (row, *_) = await heartbeats.asked(door.db, "health")
    assert row["taken_at"]
    assert row["obeyed_at"] >= row["taken_at"]


async def test_a_department_cannot_speak_for_another(door):
    async with door.client("department:police") as client:
        answer = await client.post("/connectors/health/heartbeat", json={"instance": "a"})
        assert answer.status_code == 403


async def test_a_running_heart_pauses_and_resumes_its_connector(door):
    switch, stop = Switch(), asyncio.Event()
    heart = Heart(door.served.url, door.key("department:education"), "education", switch, every=0.1)
    running = asyncio.create_task(heart.run(stop))

    async def until(paused: bool) -> None:
        async with asyncio.timeout(20):
            while True:
                row = await door.db.fetchrow(
                    "SELECT paused FROM connector_heartbeat WHERE connector = 'education'"
                )
                done = await heartbeats.asked(door.db, "education")
                if row and row["paused"] is paused and all(one["obeyed_at"] for one in done):
                    return
                await asyncio.sleep(0.05)

    await heartbeats.ask(door.db, "education", "pause", by="op", now=NOW)
    await until(paused=True)
    assert switch.paused
    await heartbeats.ask(door.db, "education", "resume", by="op", now=NOW)
    await until(paused=False)
    stop.set()
    await running


async def test_a_paused_connector_rests_and_run_now_ends_a_pause_between_polls():
    switch, stop = Switch(), asyncio.Event()
    resting = asyncio.create_task(switch.rest(3600, stop))
    await asyncio.sleep(0.05)
    switch.obey("run")
    await asyncio.wait_for(resting, 5)
    switch.obey("pause")
    resting = asyncio.create_task(switch.rest(0.01, stop))
    await asyncio.sleep(0.2)
    assert not resting.done()
    switch.obey("resume")
    await asyncio.wait_for(resting, 5)


async def test_a_command_that_does_not_exist_is_not_asked(door):
    with pytest.raises(ValueError, match="explode"):
        await heartbeats.ask(door.db, "health", "explode", by="op", now=NOW)
