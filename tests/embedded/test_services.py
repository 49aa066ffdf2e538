"""The services start from nothing, keep their data, and survive whatever ends the hub."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.embedded.processes import command_line
from hub.embedded.services import embedded, running
from hub.embedded.steps import Step
from hub.kernel.errors import HubError
from hub.kernel.settings import Settings

TOPIC = "kept"
HOLD = Path(__file__).with_name("hold.py")
EMPTY = {"HUB_KAFKA": "", "HUB_DATABASE": ""}


async def write(kafka: str, database: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, value)
    finally:
        await producer.stop()
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE kept (value bytea)")
    await connection.execute("INSERT INTO kept VALUES ($1)", value)
    await connection.close()


async def read(kafka: str, database: str) -> tuple[bytes, bytes]:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), 20)
    finally:
        await consumer.stop()
    connection = await asyncpg.connect(database)
    row = await connection.fetchval("SELECT value FROM kept")
    await connection.close()
    return record.value, row


@contextmanager
def hub_on(data_dir: Path):
    """Another hub, starting on this folder."""
    child = subprocess.Popen(
        [sys.executable, str(HOLD), str(data_dir)],
        stdout=subprocess.PIPE,
        env=os.environ | EMPTY,
        cwd=Path.cwd(),
        # Where the tests run in the background, SIGINT is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads yet
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        child.stdout.close()


def heard(hub) -> dict:
    """What a hub says once it is up."""
    return json.loads(hub.stdout.readline())


async def test_a_second_start_finds_what_the_first_one_kept(data_dir, own_settings):
    steps: list[Step] = []
    async with embedded(data_dir, settings=own_settings, progress=steps.append) as first:
        await write(first.kafka, first.database, b"one")
        assert running(data_dir).kafka == first.kafka
    assert sorted(s.name for s in steps if s.done) == ["jars", "kafka", "postgres"]
    assert steps[0].part == 0.0
    assert all(s.zh and s.en and s.seconds >= 0 for s in steps)
    assert running(data_dir) is None
    async with embedded(data_dir, settings=own_settings) as second:
        assert await read(second.kafka, second.database) == (b"one", b"one")
        assert second.kafka == first.kafka


async def test_a_hub_killed_outright_leaves_nothing_in_the_way_of_the_next(data_dir, own_settings):
    with hub_on(data_dir) as hub:
        said = heard(hub)
        await write(said["kafka"], said["database"], b"two")
        hub.kill()
        hub.wait()
        assert command_line(said["java"])
        assert command_line(said["postmaster"])
        assert running(data_dir) is None
        async with embedded(data_dir, settings=own_settings) as found:
            assert not command_line(said["java"])
            assert not command_line(said["postmaster"])
            assert await read(found.kafka, found.database) == (b"two", b"two")


async def test_two_hubs_start_at_once_a_third_is_refused_and_signals_stop_both_in_order(
    data_dir, own_settings
):
    other = data_dir / "other"
    with hub_on(data_dir) as hub, hub_on(other) as neighbour:
        said, said_beside = heard(hub), heard(neighbour)
        assert said["kafka"] != said_beside["kafka"]
        assert said["database"] != said_beside["database"]
        with pytest.raises(HubError) as caught:
            async with embedded(data_dir, settings=own_settings):
                pass
        assert str(hub.pid) in caught.value.message
        assert "HUB_DATA_DIR" in caught.value.hint
        assert str(data_dir) in caught.value.message_zh
        assert running(data_dir).database == said["database"]
        hub.send_signal(signal.SIGTERM)
        neighbour.send_signal(signal.SIGINT)
        assert (hub.wait(20), neighbour.wait(20)) == (128 + signal.SIGTERM, -signal.SIGINT)
    for folder, ended in ((data_dir, said), (other, said_beside)):
        assert not command_line(ended["java"])
        assert not command_line(ended["postmaster"])
        assert not (folder / "postgres" / "postmaster.pid").exists()
        assert "database system is shut down" in (folder / "postgres.log").read_text()


async def test_services_named_by_the_settings_are_used_and_nothing_is_started(data_dir):
    chosen = Settings(kafka="kafka.example:9092", database="postgresql://db.example/hub")
    folder = data_dir / "unused"
    async with embedded(folder, settings=chosen) as found:
        assert (found.kafka, found.database) == (chosen.kafka, chosen.database)
        assert found.broker is None
        assert found.server is None
    assert not folder.exists()


async def test_one_service_may_be_named_and_the_other_embedded(data_dir, own_settings, services):
    chosen = own_settings.model_copy(update={"kafka": services.kafka})
    async with embedded(data_dir, settings=chosen) as found:
        assert found.kafka == services.kafka
        assert found.broker is None
        assert found.server.pid is not None
        assert not (data_dir / "kafka").exists()
