"""Pictures of a real hub: their numbers equal what Kafka and PostgreSQL say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.kernel.settings import Settings
from hub.monitoring.pictures import Picture, decode
from hub.runtime import broker_soundings
from hub.runtime.broker_soundings import BrokerSoundings
from hub.runtime.samplers import Sampler
from hub.store import pictures
from hub.store.connections import close, connect
from hub.store.migrations import migrate
from tests.conftest import FreshDatabase

TOPICS = ("in.health.admissions", "event.health")


@pytest.fixture
async def site(
    kafka: str, fresh_database: FreshDatabase, tmp_path: Path
) -> AsyncIterator[Settings]:
    dsn = await fresh_database()
    db = await connect(dsn)
    await migrate(db)
    await close(db)
    prefix = f"m{uuid4().hex[:6]}."
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(prefix + name, 2, 1) for name in TOPICS])
    yield Settings(  # type: ignore[call-arg]
        kafka=kafka, database=dsn, data_dir=tmp_path, synthetic_people=True, topic_prefix=prefix
    )
    await admin.delete_topics([prefix + name for name in TOPICS])
    await admin.close()


async def _produce(settings: Settings, topic: str, part: int, count: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
    await producer.start()
    for n in range(count):
        await producer.send(settings.topic_prefix + topic, b"%d" % n, partition=part)
    await producer.stop()


async def _claim(db: Any, settings: Settings, topic: str, part: int, at: int, now: int) -> None:
    await db.execute(
        "INSERT INTO partition_claim (topic, part, epoch, owner, next_offset, committed_at)"
        " VALUES ($1, $2, 1, 'w', $3, $4) ON CONFLICT (topic, part)"
        " DO UPDATE SET next_offset = $3, committed_at = $4",
        settings.topic_prefix + topic,
        part,
        at,
        now,
    )


async def _pictures(settings: Settings, count: int) -> list[Picture]:
    stop, found = asyncio.Event(), []

    async def seen(picture: Picture) -> None:
        found.append(picture)
        if len(found) >= count:
            stop.set()

    sampler = Sampler(settings, settings.kafka, settings.database, seen=seen, seconds=0.2)
    await asyncio.wait_for(sampler.run(stop), 30)
    return found


async def test_lag_and_age_equal_what_lies_in_the_log(site: Settings) -> None:
    await _produce(site, "event.health", 0, 10)
    await _produce(site, "event.health", 1, 3)
    db = await connect(site.database)
    await _claim(db, site, "event.health", 0, 4, 1)
    await _claim(db, site, "event.health", 1, 3, 1)
    first, *_, last = await _pictures(site, 2)
    assert last.failed == {}
    lags = {(one.topic, one.part): one.lag for one in last.partitions}
    assert lags == {("event.health", 0): 6, ("event.health", 1): 0}
    ages = {one.part: one.late for one in last.partitions}
    assert ages[1] == 0
    assert ages[0] is not None
    assert 0 <= ages[0] < 60_000
    assert {one.group: one.lag for one in last.groups} == {"hub.decide": 6}
    assert last.totals["canonical"] == 13
    assert last.number == first.number + 1
    await close(db)


async def test_a_partition_that_stays_has_its_age_read_before_those_that_move(
    site: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_soundings, "_FETCHES", 1)
    for part in (0, 1):
        await _produce(site, "event.health", part, 5)
    soundings = BrokerSoundings(site.kafka, site)
    moving, stuck = ("event.health", 0), ("event.health", 1)
    first = await soundings.ages([(moving, 0), (stuck, 0)], 0)
    second = await soundings.ages([(moving, 1), (stuck, 0)], 0)
    await soundings.close()
    assert (set(first), set(second)) == ({(moving, 0)}, {(stuck, 0)})


async def test_each_group_is_told_the_age_of_its_own_next_record(site: Settings) -> None:
    await _produce(site, "event.health", 0, 1)
    await asyncio.sleep(1.5)
    await _produce(site, "event.health", 0, 1)
    db = await connect(site.database)
    await _claim(db, site, "event.health", 0, 1, 1)
    await close(db)
    group, place = f"other{uuid4().hex[:6]}", TopicPartition(f"{site.topic_prefix}event.health", 0)
    reader = AIOKafkaConsumer(
        bootstrap_servers=site.kafka, group_id=group, enable_auto_commit=False
    )
    await reader.start()
    reader.assign([place])
    await reader.commit({place: 0})
    await reader.stop()
    last = (await _pictures(site, 4))[-1]
    late = {one.group: one.late for one in last.partitions if one.topic == "event.health"}
    assert late[group] - late["hub.decide"] >= 1_000


async def test_the_picture_lies_in_the_database_with_its_history(site: Settings) -> None:
    await _produce(site, "in.health.admissions", 0, 5)
    (last, *_) = await _pictures(site, 1)
    db = await connect(site.database)
    stored = await pictures.read(db)
    assert stored is not None
    assert decode(stored) == last
    found = await pictures.history(
        db, ["rate/in.health.admissions"], pictures.LEVELS[0], last.at + 1
    )
    assert len([v for _, v in found["rate/in.health.admissions"] if v is not None]) == 1
    await close(db)


async def test_points_that_were_missed_are_gaps_and_old_ones_go(site: Settings) -> None:
    db = await connect(site.database)
    level, start = pictures.LEVELS[0], 1_700_000_100_000
    await pictures.append(db, level, start, {"a": 1.0})
    await pictures.append(db, level, start + 3 * level.step, {"a": 4.0})
    found = await pictures.history(db, ["a"], level, start + 3 * level.step)
    values = [value for at, value in found["a"] if at >= start // level.step * level.step]
    assert values == [1.0, None, None, 4.0]
    await pictures.forget(db, start + 2 * level.kept)
    assert await db.fetchval("SELECT count(*) FROM series") == 0
    await close(db)


async def test_only_one_sampler_of_a_database_works(site: Settings) -> None:
    one, two = await connect(site.database), await connect(site.database)
    assert await pictures.lock(one)
    assert not await pictures.lock(two)
    await close(one)
    assert await pictures.lock(two)
    await close(two)


async def test_a_silent_department_shows_after_its_cadence(site: Settings) -> None:
    await _produce(site, "in.health.admissions", 0, 1)
    (picture, *_) = await _pictures(site, 1)
    health = next(one for one in picture.connectors if one.connector == "health")
    item = next(one for one in health.items if one.item == "admissions")
    assert item.last is not None
    assert item.silent is not None
    assert not item.is_silent
    assert item.records == 1
