from __future__ import annotations

import asyncio
import os
import signal
import sys

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.contracts.catalogues import catalogue
from hub.embedded.ports import free_ports
from hub.store.connections import connect


async def start(rig, *words):
    names = ("kafka", "database", "data_dir", "topic_prefix")
    environ = {f"HUB_{name.upper()}": str(getattr(rig.settings, name)) for name in names}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub.cli.main", "worker", *words,
        env=os.environ | environ | {"HUB_SYNTHETIC_PEOPLE": "1"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


async def test_hub_worker_runs_the_hub_s_own_wiring_and_stops_on_sigterm(rig):
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.settings.kafka)
    await admin.start()
    there = set(await admin.list_topics())
    wanted = [rig.settings.wire(name) for name in catalogue().topics]
    await admin.create_topics([NewTopic(name, 2, 1) for name in wanted if name not in there])
    await admin.close()
    (port,) = free_ports(1)
    process = await start(rig, "--health-port", str(port), "--lanes", "2")
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            for _ in range(200):
                try:
                    if (await http.get("/ready")).status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                assert process.returncode is None, (await process.stdout.read()).decode()
                await asyncio.sleep(0.1)
            told = (await http.get("/health")).json()
        assert told["stages"]["decide"]["ready"]
        assert told["stages"]["intake"]["assigned"] > 0
        db = await connect(rig.settings.database)
        assert await db.fetchval("SELECT count(*) FROM subscription") > 5
        assert await db.fetchval("SELECT count(*) FROM partition_claim") > 20
        await db.close()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 8) == 0
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("words", [("--stages", "digest"), ("--stages", "")])
async def test_an_unknown_stage_is_refused_before_anything_starts(rig, words):
    process = await start(rig, *words)
    told, _ = await process.communicate()
    assert process.returncode == 2
    assert "intake, decide, deliver, timers" in told.decode()
