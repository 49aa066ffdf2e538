from __future__ import annotations

import asyncio
import signal

import pytest
from rigs import RAW, TOPIC, event, numbers

from hub.kernel.failpoints import arm
from hub.monitoring import rebalances
from hub.runtime.services import EXIT_CODE
from hub.store import claims, worker_events

REFERRALS = "SELECT count(*) FROM referral"
SENT = "SELECT coalesce(sum(sent_seq), 0)::int FROM subscription"
FACTS = "SELECT sum(json_array_length(facts))::int FROM person"


async def complete(rig, count):
    """Nothing lost, nothing double, numbers without a gap, each number one copy."""
    await rig.until(REFERRALS, count)
    await rig.until(SENT, count)
    assert await rig.db.fetchval("SELECT count(*) FROM seen_event") == count
    assert await rig.db.fetchval(FACTS) == count
    found = numbers(await rig.inbox(count))
    assert sorted(found) == list(range(1, count + 1))
    assert all(len(ids) == 1 for ids in found.values())
    assert len(set.union(*found.values())) == count


async def test_a_worker_killed_under_load_leaves_the_same_end_state(rig):
    count = 2000
    feeding = asyncio.create_task(rig.send(*(event(n) for n in range(count))))
    for _ in range(2):
        process = await rig.process()
        before = await rig.db.fetchval(REFERRALS)
        for _ in range(200):
            if await rig.db.fetchval(REFERRALS) > before + 150:
                break
            await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
    await feeding
    await rig.process()
    await complete(rig, count)


@pytest.mark.parametrize(
    "points",
    [
        ("claim.epoch", "claim.seek", "batch.polled", "batch.decoded", "batch.begin"),
        ("batch.claim", "batch.seen", "batch.state", "batch.referral", "batch.timer"),
        ("batch.outbox", "batch.audit", "batch.commit", "batch.committed:2"),
        ("relay.claimed", "relay.produced", "relay.marked"),
    ],
    ids=" ".join,
)
async def test_deaths_at_failpoints_lose_and_double_nothing(make_rig, points):
    rig = await make_rig(batch=20)
    for number, failpoint in enumerate(points):
        await rig.send(*(event(n) for n in range(number * 40, number * 40 + 40)))
        process = await rig.process(failpoints=failpoint)
        assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL
    log = (rig.folder / "failpoints").read_text().split()
    assert log == [failpoint.partition(":")[0] for failpoint in points]
    async with rig.worker():
        await complete(rig, 40 * len(points))


@pytest.mark.parametrize("point", ["intake.polled", "intake.produced", "intake.dead"])
async def test_deaths_of_intake_lose_nothing_and_repeat_the_same_bytes(rig, point):
    await rig.send(*(event(n) for n in range(20)), b"junk", topic=RAW)
    process = await rig.process("intake", failpoints=point)
    assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL
    async with rig.worker():
        await complete(rig, 20)
        assert {record.value for record in await rig.inbox(1, f"dlq.hub.{RAW}")} == {b"junk"}


@pytest.mark.parametrize("action", ["cut-before", "cut-after"])
async def test_the_outcome_of_a_cut_commit_is_read_and_never_assumed(rig, action):
    await rig.send(*(event(n) for n in range(60)))
    arm(f"batch.commit:1:{action}", str(rig.folder / "failpoints"))
    try:
        async with rig.worker():
            await complete(rig, 60)
    finally:
        arm("")
    assert (rig.folder / "failpoints").read_text() == "batch.commit\n"
    assert rig.died == []


async def test_an_unexpected_error_ends_the_process(rig):
    await rig.send(event(1))
    process = await rig.process(failpoints="batch.state:1:raise")
    assert await asyncio.wait_for(process.wait(), 20) == EXIT_CODE
    async with rig.worker():
        await complete(rig, 1)


async def test_a_worker_whose_partition_was_taken_over_writes_nothing(rig):
    async with rig.worker(("decide",)) as worker:
        await rig.send(event(1))
        await rig.until(REFERRALS, 1)
        place = rig.settings.wire(TOPIC)
        everything = {(place, part): 0 for part in range(4)}
        await claims.take(rig.db, everything, owner="another", now=1)
        await rig.db.execute("ALTER TABLE referral ADD CHECK (id = '') NOT VALID")
        await rig.send(*(event(n) for n in range(2, 30)))
        for _ in range(50):
            if not any(lane.claims for lane in worker._consumers[0].holdings):
                break
            await asyncio.sleep(0.1)
        await rig.db.execute("ALTER TABLE referral DROP CONSTRAINT referral_id_check")
        assert await rig.db.fetchval("SELECT count(*) FROM crash") == 0
        # The group names this worker and nobody else: it takes its partitions again.
        await rig.until(REFERRALS, 29)
    assert rig.died == []
    told = rebalances.turns(list(reversed(await worker_events.since(rig.db, 1_000))))
    kinds = [(one.event.kind, one.event.former) for one in told]
    owner = told[0].event.owner
    assert kinds[:2] == [("began", ""), ("took", "")]
    assert ("lost", "") in kinds[2:]
    assert ("took", "another") in kinds[2:]
    assert kinds[-1] == ("ended", "")
    assert {one.event.owner for one in told} == {owner}


async def test_a_worker_begins_and_loses_its_slot_though_neither_can_be_noted(rig):
    await rig.db.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = 'lock_not_available'; END$$;"
        " CREATE TRIGGER refuse BEFORE INSERT ON worker_event FOR EACH ROW"
        " WHEN (NEW.kind <> 'took') EXECUTE FUNCTION refuse()"
    )
    await rig.send(event(1))
    process = await rig.process()
    await rig.until(REFERRALS, 1)
    await rig.db.execute(
        "UPDATE lease SET owner = 'another', until = now() + interval '1 h'"
        " WHERE name LIKE 'slot/%'"
    )
    assert await asyncio.wait_for(process.wait(), 20) == EXIT_CODE


async def test_a_database_that_goes_away_is_ridden_out(rig):
    async with rig.worker():
        await rig.send(*(event(n) for n in range(50)))
        await rig.until(REFERRALS, 50)
        await rig.db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await rig.send(*(event(n) for n in range(50, 100)))
        await complete(rig, 100)
    assert rig.died == []


async def test_two_workers_share_the_work_and_the_subscriptions(rig):
    async with rig.worker():
        await rig.send(*(event(n) for n in range(200)))
        async with rig.worker():
            await rig.send(*(event(n) for n in range(200, 400)))
            await complete(rig, 400)
    assert rig.died == []


async def test_a_timer_fires_once_after_restarts_when_the_clock_gets_there(make_rig, tmp_path):
    clock = tmp_path / "clock"
    clock.write_text("2025-04-01T00:00:00+08:00")
    rig = await make_rig(clock=f"file:{clock}")
    async with rig.worker():
        await rig.send(event(1))
        await rig.until(REFERRALS, 1)
    await rig.db.execute(
        "INSERT INTO timer VALUES ('t', $1, 'remind', '{}', 'cause', '', $2, NULL, '')",
        1_743_436_800_000 + 86_400_000,
        b"u" * 16,
    )
    process = await rig.process(failpoints="timer.fired:1")
    await asyncio.sleep(2)
    assert process.returncode is None
    assert await rig.db.fetchval("SELECT count(*) FROM timer") == 1
    clock.write_text("2025-04-02T00:00:01+08:00")
    assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL
    assert await rig.db.fetchval("SELECT count(*) FROM timer") == 1
    async with rig.worker():
        await rig.until(SENT, 2)
        await asyncio.sleep(0.5)
    assert await rig.db.fetchval("SELECT count(*) FROM timer") == 0
    told = "SELECT count(*) FROM delivery WHERE type = 'referral.overdue'"
    assert await rig.db.fetchval(told) == 1


async def test_a_worker_stops_within_five_seconds_of_sigterm(rig):
    process = await rig.process()
    await rig.send(*(event(n) for n in range(200)))
    await rig.until(REFERRALS, 200)
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 5) == 0
