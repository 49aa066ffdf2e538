from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import TopicPartition
from rigs import PARTITIONS, TOPIC, event

from hub.runtime.clients import consumer
from hub.runtime.logs import Log, follows, misfit
from hub.runtime.topic_ids import topic_ids
from hub.store.claims import Claim

REFERRALS = "SELECT count(*) FROM referral"
STANDING = "SELECT count(*) FROM alarm WHERE cleared_at IS NULL AND kind = '{}'"


@pytest.fixture
async def admin(kafka):
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    yield client
    await client.close()


async def replace(rig, admin):
    """Delete the topic and make it again, as somebody with the right to may do at any time."""
    wire = rig.settings.wire(TOPIC)
    await admin.delete_topics([wire])
    for _ in range(100):
        await asyncio.sleep(0.2)
        answer = await admin.create_topics([NewTopic(wire, PARTITIONS, 1)])
        if not answer.topic_errors[0][1]:
            return
    raise AssertionError(answer)


def records(*offsets):
    return [SimpleNamespace(offset=offset) for offset in offsets]


def test_a_poll_with_a_gap_or_a_step_back_asks_to_look():
    assert follows(records(5, 6, 7), 5)
    assert not follows(records(6, 7), 5)
    assert not follows(records(5, 7), 5)
    assert not follows(records(0, 1), 5)


def test_a_claim_fits_only_the_log_it_was_made_on():
    claim = Claim("t", 0, 1, 7, "one")
    assert misfit(claim, Log("one", 0, 7)) is None
    assert misfit(claim, Log("", 7, 9)) is None
    assert misfit(claim, Log("one", 8, 9)).kind == "partition_stopped"
    assert misfit(claim, Log("one", 0, 6)).kind == "partition_stopped"
    assert misfit(claim, Log("two", 0, 9)).kind == "topic_replaced"


async def test_a_topic_made_again_has_another_id(rig, admin):
    client = consumer(rig.settings.kafka, rig.settings.wire("look"), None)
    await client.start()
    wire = rig.settings.wire(TOPIC)
    first = await topic_ids(client, [wire, "no-such-topic"])
    assert list(first) == [wire]
    await replace(rig, admin)
    assert (await topic_ids(client, [wire]))[wire] not in {first[wire], ""}
    await client.stop()


async def test_claims_are_never_applied_to_a_topic_made_again_even_if_it_is_longer(rig, admin):
    async with rig.worker(("decide",)):
        await rig.send(*(event(n) for n in range(40)))
        await rig.until(REFERRALS, 40)
    await replace(rig, admin)
    await rig.send(*(event(n) for n in range(100, 300)))
    async with rig.worker(("decide",)) as worker:
        await rig.until(STANDING.format("topic_replaced"), PARTITIONS)
        await asyncio.sleep(0.5)
        assert len(worker.progress[0].stopped) == PARTITIONS
    assert await rig.db.fetchval(REFERRALS) == 40


async def test_a_topic_made_again_under_a_running_worker_stops_it(rig, admin):
    async with rig.worker(("decide",)):
        await rig.send(*(event(n) for n in range(40)))
        await rig.until(REFERRALS, 40)
        await replace(rig, admin)
        await rig.send(*(event(n) for n in range(100, 110)))
        await rig.until(STANDING.format("topic_replaced"), PARTITIONS, 60)
    assert await rig.db.fetchval(REFERRALS) == 40
    assert rig.died == []


async def test_a_log_start_that_jumps_under_a_running_worker_stops_the_partition(rig, admin):
    """The client library would begin again at the new start and say nothing."""
    async with rig.worker(("decide",)) as worker:
        await rig.send(*(event(n) for n in range(40)))
        await rig.until(REFERRALS, 40)
        assigned = worker._consumers[0].client.assignment()
        worker._consumers[0].client.pause(*assigned)
        await asyncio.sleep(0.3)
        await rig.send(*(event(n) for n in range(100, 300)))
        ends = await worker._consumers[0].client.end_offsets(list(assigned))
        await admin.delete_records(
            {TopicPartition(*p): RecordsToDelete(before_offset=end - 5) for p, end in ends.items()}
        )
        worker._consumers[0].client.resume(*assigned)
        await rig.until(STANDING.format("partition_stopped"), PARTITIONS, 40)
    assert await rig.db.fetchval(REFERRALS) == 40
    assert rig.died == []


async def test_an_alarm_ends_when_the_claim_fits_again(rig):
    wire = rig.settings.wire(TOPIC)
    await rig.db.execute(
        "INSERT INTO partition_claim (topic, part, epoch, owner, next_offset, committed_at)"
        " VALUES ($1, 0, 1, '', 9, 1)",
        wire,
    )
    async with rig.worker(("decide",)):
        await rig.until(STANDING.format("partition_stopped"), 1)
    await rig.db.execute("UPDATE partition_claim SET next_offset = 0 WHERE part = 0")
    async with rig.worker(("decide",)):
        await rig.until(STANDING.format("partition_stopped"), 0)
