from __future__ import annotations

import asyncio
import signal

import pytest
from rigs import RAW, TOPIC, event

from hub.kernel.failpoints import arm
from hub.runtime.services import EXIT_CODE

pytestmark = pytest.mark.timeout(300)
"""Up to seven processes start one after another."""
REFERRALS = "SELECT count(*) FROM referral"
BUGS = "SELECT count(*) FROM dead_letter WHERE code = 'E-BUG'"


async def supervised(rig, stages, sql, wanted, *, most):
    """Start a worker as often as it dies, as a supervisor does, until a query gives a value."""
    codes = []
    process = await rig.process(*stages)
    for _ in range(2400):
        if await rig.db.fetchval(sql) == wanted:
            break
        if process.returncode is not None:
            codes.append(process.returncode)
            process = await rig.process(*stages)
        await asyncio.sleep(0.1)
    assert await rig.db.fetchval(sql) == wanted
    assert process.returncode is None
    assert len(codes) <= most
    return set(codes)


async def test_an_event_that_kills_alone_is_set_aside_and_no_other(rig):
    persons = [bytes([n]) * 16 for n in range(8)]
    for n, uid in enumerate(persons):
        await rig.send(*(event(n * 10 + k, uid=uid) for k in range(10)))
    await rig.send(event(1, "kill", uid=persons[3]))
    await rig.send(*(event(n, "after", uid=uid) for n, uid in enumerate(persons)))
    codes = await supervised(rig, ("decide",), REFERRALS, 88, most=6)
    assert codes == {-signal.SIGKILL}
    rows = await rig.db.fetch("SELECT record_key, code, detail FROM dead_letter")
    assert [tuple(row) for row in rows] == [("kill-1", "E-BUG", "killed 3 processes")]
    await rig.until("SELECT count(*) FROM alarm WHERE kind = 'event_set_aside'", 1)
    assert await rig.db.fetchval("SELECT count(*) FROM attempt") == 0


async def test_bytes_that_kill_the_codec_are_set_aside_unread(rig):
    await rig.send(event(1), b"kill")
    assert await supervised(rig, ("decide",), BUGS, 1, most=6) == {-signal.SIGKILL}
    await rig.until(REFERRALS, 1)
    assert await rig.db.fetchval("SELECT value FROM dead_letter") == b"kill"


async def test_a_raw_record_that_kills_intake_is_set_aside(rig):
    await rig.send(event(1), b"kill", event(2), topic=RAW)
    done = "SELECT sum(next_offset)::int FROM partition_claim"
    assert await supervised(rig, ("intake",), done, 3, most=6) == {-signal.SIGKILL}
    assert (await rig.inbox(1, f"dlq.hub.{RAW}"))[0].value == b"kill"
    assert len({one.value for one in await rig.inbox(2, TOPIC)}) == 2
    await rig.until("SELECT count(*) FROM alarm WHERE kind = 'record_set_aside'", 1)


async def test_a_timer_that_kills_is_set_aside_and_the_others_fire(rig):
    await rig.db.executemany(
        "INSERT INTO timer VALUES ($1, 1000, $2, '{}', 'cause', '', $3, NULL, '')",
        [("t1", "remind", b"1" * 16), ("t2", "kill", b"2" * 16), ("t3", "remind", b"3" * 16)],
    )
    waiting = "SELECT count(*) FROM timer"
    assert await supervised(rig, ("timers",), waiting, 0, most=6) == {-signal.SIGKILL}
    assert await rig.db.fetchval(BUGS) == 1
    assert await rig.db.fetchval("SELECT count(*) FROM outbox") == 2


async def test_a_decider_that_runs_out_of_memory_crashes_in_the_open(rig):
    await rig.send(*(event(n) for n in range(20)), event(1, "hog"))
    assert await supervised(rig, ("decide",), BUGS, 1, most=2) == {EXIT_CODE}
    await rig.until(REFERRALS, 20)
    assert "MemoryError" in await rig.db.fetchval("SELECT detail FROM dead_letter")


async def test_kills_between_events_set_nothing_aside(rig):
    await rig.send(*(event(n) for n in range(40)))
    for _ in range(6):
        process = await rig.process("decide", failpoints="claim.seek")
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    await rig.process("decide")
    await rig.until(REFERRALS, 40)
    assert await rig.db.fetchval(BUGS) == 0


async def test_deaths_without_records_make_nothing_run_alone_afterwards(rig):
    for _ in range(4):
        process = await rig.process("decide", failpoints="claim.seek")
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    await rig.send(*(event(n) for n in range(40)))
    await rig.process("decide")
    await rig.until(REFERRALS, 40)
    assert await rig.db.fetchval("SELECT max(taken_there) FROM partition_claim") <= 2


@pytest.mark.parametrize("point", ["batch.begin", "batch.state", "batch.audit"])
async def test_a_cut_connection_is_no_death_of_the_event_that_ran_alone(rig, point):
    await rig.db.execute(
        "INSERT INTO partition_claim SELECT $1, n, 1, '', 0, 0, NULL, 0, 9"
        " FROM generate_series(0, 3) n",
        rig.settings.wire(TOPIC),
    )
    await rig.send(event(1), event(2))
    arm(",".join(f"{point}:{n}:cut" for n in (1,)))
    try:
        async with rig.worker(("decide",)):
            await rig.until(REFERRALS, 2)
            await rig.until("SELECT count(*) FROM attempt", 0)
    finally:
        arm("")
    assert rig.died == []


async def test_a_suspect_waits_until_its_process_has_lived_with_the_others(rig):
    topic = rig.settings.wire(TOPIC)
    suspect, innocent = bytes([1]) * 16, bytes([5]) * 16  # of different partitions
    await rig.send(event(1, uid=suspect))
    places = "SELECT part FROM partition_claim WHERE topic = $1 AND next_offset > 0"
    async with rig.worker(("decide",)):
        await rig.until(REFERRALS, 1)
    part = await rig.db.fetchval(places, topic)
    await rig.db.execute(
        "INSERT INTO attempt (place, owner, count, at) VALUES ($1, 'dead', 2, 1)",
        f"{topic}/{part}/1",
    )
    await rig.send(event(2, uid=suspect), *(event(n, uid=innocent) for n in range(3, 9)))
    async with rig.worker(("decide",)):
        await rig.until(REFERRALS, 8)
        await rig.until("SELECT count(*) FROM attempt", 0)
    last = await rig.db.fetchval("SELECT event_id FROM seen_event ORDER BY at DESC LIMIT 1")
    assert str(last) == event(2).event_id
