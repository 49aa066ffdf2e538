from __future__ import annotations

import asyncio
import signal

from aiokafka.errors import OutOfOrderSequenceNumber
from rigs import INBOX, TOPIC, event, numbers

from hub.kernel.failpoints import arm
from hub.runtime.clients import producer, renewed
from hub.runtime.sending import Batches
from hub.runtime.services import EXIT_CODE
from hub.store.leases import HELD_SECONDS

REFERRALS = "SELECT count(*) FROM referral"
SENT = "SELECT coalesce(sum(sent_seq), 0)::int FROM subscription"


async def stopped(process):
    """Wait until a process has stopped itself."""
    for _ in range(600):
        with open(f"/proc/{process.pid}/stat") as stat:  # noqa: PTH123, ASYNC230 - no file on a disk
            if stat.read().rpartition(")")[2].split()[0] == "T":
                return
        await asyncio.sleep(0.05)
    raise AssertionError("still running")


def firsts(records):
    """Sequence numbers in the order in which each came first, by partition."""
    found: dict[int, list[int]] = {}
    for record in records:
        number = int(dict(record.headers)["ce_subscriptionseq"])
        seen = found.setdefault(record.partition, [])
        if number not in seen:
            seen.append(number)
    return found


async def test_a_relay_that_wakes_too_late_sends_nothing_more(rig):
    async with rig.worker(("decide",)):
        await rig.send(*(event(n) for n in range(30)))
        await rig.until(REFERRALS, 30)
    zombie = await rig.process("deliver", failpoints="relay.claimed:1:stop")
    await stopped(zombie)
    await asyncio.sleep(HELD_SECONDS + 0.5)
    async with rig.worker(("decide", "deliver")):
        await rig.send(*(event(n) for n in range(30, 60)))
        await rig.until(SENT, 60)
        before = await rig.inbox(60)
        zombie.send_signal(signal.SIGCONT)
        await asyncio.sleep(3)
        after = await rig.inbox(60)
    assert len(after) == len(before) == 60
    assert all(one == sorted(one) for one in firsts(after).values())
    assert {len(ids) for ids in numbers(after).values()} == {1}


async def test_a_zombie_whose_successor_has_its_member_id_ends_and_wrote_nothing(make_rig):
    rig = await make_rig(worker_slot=0)
    await rig.send(*(event(n) for n in range(60)))
    zombie = await rig.process(failpoints="batch.state:1:stop")
    await stopped(zombie)
    await asyncio.sleep(HELD_SECONDS + 0.5)
    async with rig.worker():
        await rig.until(REFERRALS, 60)
        zombie.send_signal(signal.SIGCONT)
        assert await asyncio.wait_for(zombie.wait(), 15) == EXIT_CODE
        await rig.send(*(event(n) for n in range(60, 90)))
        await rig.until(REFERRALS, 90)
        await rig.until(SENT, 90)
    assert rig.died == []
    found = numbers(await rig.inbox(90))
    assert sorted(found) == list(range(1, 91))


async def test_a_storm_of_rebalances_loses_and_doubles_nothing(rig):
    feeding = asyncio.create_task(rig.send(*(event(n) for n in range(400))))
    async with rig.worker():
        for _ in range(6):
            async with rig.worker(("decide",)):
                await asyncio.sleep(0.3)
        await feeding
        await rig.until(REFERRALS, 400, 60)
        await rig.until(SENT, 400)
    assert rig.died == []
    assert await rig.db.fetchval("SELECT count(*) FROM dead_letter") == 0


async def test_a_batch_is_handed_over_only_after_the_one_before_it(rig):
    client = producer(rig.settings.kafka)
    await client.start()
    batches = Batches(client, rig.settings)
    for n in range(300):
        batches.add(INBOX, 0, b"k", n.to_bytes(2, "big") + bytes(10_000), [])
    under_way, most = 0, 0
    send = client.send_batch

    async def counted(*args, **values):
        nonlocal under_way, most
        ack = await send(*args, **values)
        under_way += 1
        most = max(most, under_way)

        def acknowledged(_):
            nonlocal under_way
            under_way -= 1

        ack.add_done_callback(acknowledged)
        return ack

    client.send_batch = counted
    await batches.deliver()
    found = [int.from_bytes(one.value[:2], "big") for one in await rig.inbox(300)]
    assert (found, most) == (list(range(300)), 1)
    other = await renewed(client, OutOfOrderSequenceNumber())
    assert other is not client
    assert await renewed(other, ConnectionError()) is other
    await other.stop()


async def test_deadlocks_and_time_outs_of_the_database_are_run_again(rig):
    """A share of all commits fails with every class of fault that heals."""
    await rig.db.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE"
        " codes text[] := '{40P01,40001,55P03,57014,53300,53100,58030,57P01}'; n bigint; BEGIN"
        " n := nextval('failures'); IF n % 5 = 0 THEN RAISE EXCEPTION 'made'"
        " USING ERRCODE = codes[1 + (n / 5) % 8]; END IF; RETURN NULL; END $$;"
        " CREATE SEQUENCE failures; CREATE TRIGGER fail AFTER INSERT ON referral"
        " FOR EACH STATEMENT EXECUTE FUNCTION fail()"
    )
    async with rig.worker():
        for n in range(60):
            await rig.send(event(n))
            await rig.until(REFERRALS, n + 1)
        await rig.until(SENT, 60)
    assert rig.died == []
    assert await rig.db.fetchval("SELECT count(*) FROM dead_letter") == 0
    assert await rig.db.fetchval("SELECT last_value FROM failures") >= 72


async def test_a_claim_lost_between_claim_and_seek_is_taken_again(rig):
    await rig.send(*(event(n) for n in range(20)))
    arm("claim.epoch:1:cut,claim.seek:2:cut")
    try:
        async with rig.worker(("decide",)):
            await rig.until(REFERRALS, 20)
    finally:
        arm("")
    claimed = "SELECT sum(next_offset)::int FROM partition_claim WHERE topic = '{}'"
    assert await rig.db.fetchval(claimed.format(rig.settings.wire(TOPIC))) == 20
    assert rig.died == []
