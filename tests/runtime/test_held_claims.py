from __future__ import annotations

from rigs import RAW, TOPIC, event

from hub.kernel.person_keys import partition_of
from hub.store import holds

COUNT = "SELECT count(*) FROM referral"
UID = b"h" * 16
PART = partition_of(UID, 4)


async def test_workers_let_go_of_a_held_partition_and_take_it_again_where_it_was_moved_to(rig):
    place = rig.settings.wire(TOPIC), PART
    async with rig.worker(("decide",)) as worker:
        await rig.send(*(event(n, uid=UID) for n in range(3)))
        await rig.until(COUNT, 3)
        await holds.hold(rig.db, [place], person="li", now=1)
        await rig.send(*(event(n, uid=UID) for n in range(3, 6)))
        # Other partitions go on.
        elsewhere = next(n for n in range(100, 200) if partition_of(event(n).uid, 4) != PART)
        await rig.send(event(elsewhere))
        await rig.until(COUNT, 4)
        (held,) = [one for one in await holds.listed(rig.db) if one.place == place]
        assert held.next_offset == 3
        await holds.move(rig.db, held, 1, now=2)
        await holds.release(rig.db, [place])
        await rig.until(COUNT, 7)
        await rig.until("SELECT max(next_offset) FROM partition_claim", 6)
        assert worker.progress[0].stopped == {}
    assert rig.died == []


async def test_a_worker_without_traffic_reads_again_from_where_a_claim_was_moved_to(rig):
    place = rig.settings.wire(RAW), PART
    seen = "SELECT count(*) FROM seen_event"
    async with rig.worker(("intake", "decide")):
        await rig.send(*(event(n, uid=UID) for n in range(3)), topic=RAW)
        await rig.until(seen, 3)
        await rig.db.execute("DELETE FROM seen_event")
        (held,) = await holds.hold(rig.db, [place], person="li", now=1)
        await holds.move(rig.db, held, 0, now=2)
        await holds.release(rig.db, [place])
        await rig.until(seen, 3)
    assert rig.died == []


async def test_a_partition_stopped_outside_its_log_goes_on_after_its_claim_was_moved(rig):
    place = rig.settings.wire(TOPIC), PART
    await rig.db.execute("INSERT INTO partition_claim VALUES ($1, $2, 1, 'x', 999, 0)", *place)
    await rig.send(event(1, uid=UID))
    async with rig.worker(("decide",)) as worker:
        await rig.until("SELECT max(epoch) FROM partition_claim", 2)
        (held,) = await holds.hold(rig.db, [place], person="li", now=1)
        await holds.move(rig.db, held, 0, now=2)
        await holds.release(rig.db, [place])
        await rig.until(COUNT, 1)
        assert worker.progress[0].stopped == {}
