from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.records_to_delete import RecordsToDelete
from rigs import RAW, TOPIC, event, wiring

from hub.contracts.codecs import encode_event
from hub.contracts.replay_marks import ReplayKey
from hub.kernel.errors import HubError
from hub.kernel.person_keys import partition_of
from hub.runtime.offset_moves import OffsetMoves
from hub.runtime.offset_targets import from_csv
from hub.runtime.originals import log
from hub.runtime.redrives import Redriver
from hub.store import holds, operations
from hub.store.dead_letter_index import Filter

COUNT = "SELECT count(*) FROM referral"
SKIPPED = "SELECT count(*) FROM dead_letter WHERE code = 'E-SKIPPED' AND state = 'open'"
UID = b"h" * 16
PART = partition_of(UID, 4)


@pytest.fixture
async def reader(rig):
    async with log(rig.settings.kafka) as found:
        yield found


@pytest.fixture
def moves(rig, reader):
    return OffsetMoves(rig.db, reader, rig.settings, wiring(), lambda: 7)


async def claim_of(rig, topic=TOPIC):
    found = await holds.listed(rig.db, rig.settings.wire(topic))
    return next(one for one in found if one.part == PART)


async def held(rig, topic=TOPIC):
    await holds.hold(rig.db, [(rig.settings.wire(topic), PART)], person="li", now=1)
    return await claim_of(rig, topic)


async def test_backward_is_told_to_have_no_effect_and_has_none(rig, moves):
    async with rig.worker(("decide",)):
        await rig.send(*(event(n, uid=UID) for n in range(5)))
        await rig.until(COUNT, 5)
        plan = await moves.plan(await claim_of(rig), "-3")
        assert (plan.new, plan.records, plan.seen, plan.unseen) == (2, 3, 3, 0)
        with pytest.raises(HubError, match="not held"):
            await moves.apply(plan, person="li", reason="test")
        plan = await moves.plan(await held(rig), "earliest")
        assert await moves.apply(plan, person="li", reason="test") == 0
        await holds.release(rig.db, [plan.claim.place])
        await rig.until("SELECT max(next_offset) FROM partition_claim", 5)
    assert await rig.db.fetchval(COUNT) == 5
    doc = await rig.db.fetchrow(
        "SELECT actor, doc->>'before', doc->>'after', doc->>'reason' FROM audit WHERE kind = 'offsets.moved'"
    )
    assert tuple(doc) == ("li", "5", "0", "test")


@pytest.mark.parametrize("topic", [TOPIC, RAW])
async def test_what_is_skipped_becomes_dead_letters_that_a_redrive_works(rig, moves, reader, topic):
    async with rig.worker(("intake", "decide")) as worker:
        await rig.send(event(0, uid=UID), topic=topic)
        await rig.until(COUNT, 1)
        claim = await held(rig, topic)
        # Intake may still produce what it has read; that is seen then.
        holdings = [one for consumer in worker._consumers for one in consumer.holdings]
        for _ in range(200):
            if not any(claim.place in one.claims for one in holdings):
                break
            await asyncio.sleep(0.05)
        # The second record is a repeat; skipping it loses nothing.
        await rig.send(event(1, uid=UID), event(0, uid=UID), event(2, uid=UID), topic=topic)
        wire = rig.settings.wire(topic)
        await rig.producer.send_and_wait(wire, b"boom", UID, partition=PART)
        claim = await claim_of(rig, topic)
        plan = await moves.plan(claim, "latest")
        assert (plan.records, plan.seen, plan.unseen) == (4, 1, 3)
        count = await moves.apply(plan, person="li", reason="poison")
        assert count == 3
        await holds.release(rig.db, [claim.place])
        await rig.send(event(3, uid=UID), topic=topic)
        await rig.until(COUNT, 2)
        assert await rig.db.fetchval(SKIPPED) == count
        # Another event of the same record does not settle what was skipped.
        redriver = Redriver(rig.db, reader, rig.settings, lambda: 9)
        letters = [one for one in await redriver.chosen(Filter(code="E-SKIPPED")) if one.event_id]
        operation = await redriver.ask(await redriver.plan(letters), person="li", reason="mended")
        await operations.judge(rig.db, operation, "wang", approved=True, reason="ok", now=10)
        await redriver.run(operation, rig.producer, ReplayKey(b"s" * 32), "li")
        await rig.until(COUNT, 4)
        await rig.until(f"{SKIPPED} AND event_id IS NOT NULL", 0)
    assert rig.died == []


async def test_a_claim_below_the_log_names_what_is_lost_and_goes_on_from_the_earliest(rig, moves):
    async with rig.worker(("decide",)):
        await rig.send(event(0, uid=UID))
        await rig.until(COUNT, 1)
    await rig.send(*(event(n, uid=UID) for n in range(1, 6)))
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.settings.kafka)
    await admin.start()
    place = TopicPartition(rig.settings.wire(TOPIC), PART)
    await admin.delete_records({place: RecordsToDelete(before_offset=4)})
    await admin.close()
    async with rig.worker(("decide",)) as worker:
        for _ in range(200):
            if worker.progress[0].stopped:
                break
            await asyncio.sleep(0.05)
        assert list(worker.progress[0].stopped) == [tuple(place)]
        plan = await moves.plan(await held(rig), "earliest")
        assert (plan.lost, plan.new, plan.records) == ((1, 4), 4, 0)
        assert await moves.apply(plan, person="li", reason="retention") == 0
        await holds.release(rig.db, [tuple(place)])
        await rig.until(COUNT, 3)
    lost = await rig.db.fetchval("SELECT doc->>'lost' FROM audit WHERE kind = 'offsets.moved'")
    assert lost == "[1,4]"


async def test_a_topic_that_was_made_again_is_told_and_worked_from_its_beginning(rig, moves):
    wire = rig.settings.wire(TOPIC)
    async with rig.worker(("decide",)):
        await rig.send(*(event(n, uid=UID) for n in range(3)))
        await rig.until(COUNT, 3)
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.settings.kafka)
    await admin.start()
    await admin.delete_topics([wire])
    await asyncio.sleep(1)
    await admin.create_topics([NewTopic(wire, 4, 1)])
    await admin.close()
    # As many records as before: the offsets alone would tell nothing.
    for number in range(10, 13):
        value = encode_event(event(number, uid=UID))
        await rig.producer.send_and_wait(wire, value, UID, partition=PART)
    async with rig.worker(("decide",)) as worker:
        for _ in range(200):
            if (wire, PART) in worker.progress[0].stopped:
                break
            await asyncio.sleep(0.05)
        for claim in await holds.listed(rig.db, wire):
            await holds.hold(rig.db, [claim.place], person="li", now=1)
        plan = await moves.plan(await claim_of(rig), "1")
        assert (plan.remade, plan.lost, plan.records, plan.unseen) == (True, None, 1, 1)
        assert await moves.apply(plan, person="li", reason="topic remade") == 1
        await holds.release(rig.db, [plan.claim.place])
        await rig.until(COUNT, 5)
        for claim in await holds.listed(rig.db, wire):
            if claim.held_by:
                await moves.apply(await moves.plan(claim, "earliest"), person="li", reason="x")
            await holds.release(rig.db, [claim.place])
        await rig.until("SELECT count(*) FROM alarm WHERE cleared_at IS NULL", 0)
    assert await rig.db.fetchval(SKIPPED) == 1


async def test_words_for_a_place_are_understood_or_refused(rig, moves):
    async with rig.worker(("decide",)):
        await rig.send(*(event(n, uid=UID) for n in range(5)))
        await rig.until(COUNT, 5)
    claim = await claim_of(rig)
    for word, new in (
        ("latest", 5),
        ("2", 2),
        ("-1", 4),
        ("2000-01-01", 0),
        ("2999-01-01T00:00", 5),
    ):
        assert (await moves.plan(claim, word)).new == new
    for word in ("6", "+1", "-9", "soon", ""):
        with pytest.raises(HubError):
            await moves.plan(claim, word)


def test_a_csv_names_each_partition_once():
    assert from_csv(["topic,partition,offset", "a,0,5", "", "a, 1, earliest"]) == {
        ("a", 0): "5",
        ("a", 1): "earliest",
    }
    for lines in (["a,0"], ["a,x,1"], ["a,0,1", "a,0,2"]):
        with pytest.raises(HubError):
            from_csv(lines)
