from __future__ import annotations

from test_deliveries import copy

from hub.store import deliveries, outbox, subscriptions, tries
from hub.store.connections import lanes_pool
from hub.store.tries import Result


async def hook(db, *rows):
    await subscriptions.register(db, {"medical-aid": ("program.medical-aid.inbox", "webhook")})
    (one,) = await subscriptions.take(db, "me", 9)
    await outbox.write(db, rows)
    await deliveries.move(db, [one], limit=99, now=1)
    return one


async def given(db, one, now, limit=9, flying=()):
    found = await tries.ready(db, one, now=now, limit=limit, flying=flying)
    return [c.seq for c in found]


async def test_a_person_waits_behind_the_failing_copy_and_others_pass(db):
    one = await hook(db, copy(1), copy(2), copy(3, person=b"q"), copy(4, person=None))
    ready = await tries.ready(db, one, now=1, limit=9)
    assert [c.seq for c in ready] == [1, 3, 4]
    assert await given(db, one, 1, flying=[(1, 1), (1, 4)]) == [3]
    results = [Result(ready[0], tries.WAITING, 50, "500"), Result(ready[1], tries.SENT)]
    await tries.settle(db, one, results, now=1)
    assert await given(db, one, 2) == [4]
    late = await tries.ready(db, one, now=50, limit=9)
    assert [(c.seq, c.attempts) for c in late] == [(1, 1), (4, 0)]
    await tries.settle(db, one, [Result(late[0], tries.PARKED, 0, "404", tries.REFUSED)], now=51)
    assert await given(db, one, 52) == [2, 4]


async def test_what_was_refused_stays_parked_when_a_receiver_heals_and_the_rest_comes_back(db):
    one = await hook(db, *(copy(n, person=bytes([n])) for n in range(1, 5)))
    first, second, third, _ = await tries.ready(db, one, now=1, limit=9)
    results = [
        Result(first, tries.PARKED, 0, "500", tries.EXHAUSTED),
        Result(second, tries.PARKED, 0, "404", tries.REFUSED),
        Result(third, tries.WAITING, 99, "500"),
    ]
    for heals in range(tries.HEALS + 1):
        await tries.settle(db, one, results, now=1)
        assert await given(db, one, 2) == [4]
        await tries.heal(db, one)
        healed = heals < tries.HEALS
        assert await given(db, one, 2) == ([1, 3, 4] if healed else [4])


async def test_an_overtaken_lane_settles_and_heals_nothing(db):
    one = await hook(db, copy(1))
    ready = await tries.ready(db, one, now=1, limit=9)
    await db.execute("UPDATE subscription SET epoch = epoch + 1")
    await tries.settle(db, one, [Result(ready[0], tries.SENT)], now=1)
    await db.execute("UPDATE delivery SET attempts = 1, next_at = 9")
    await tries.heal(db, one)
    assert await given(db, one, 1) == []


READ = (
    "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'delivery'"
)


async def test_a_long_backlog_is_read_from_its_head(db):
    rows = [copy(n, person=(n % 500).to_bytes(2)) for n in range(5000)]
    one = await hook(db)
    await outbox.write(db, rows)
    await deliveries.move(db, [one], limit=9999, now=1)
    await db.execute("ANALYZE delivery")
    async with db.transaction():
        before = await db.fetchval(READ)
        assert len(await given(db, one, 1, limit=16)) == 16
        assert await db.fetchval(READ) - before <= 16 * 16


async def test_whoever_stands_behind_many_that_wait_for_a_later_try_is_given(db):
    one = await hook(db, *(copy(n, person=b"%d" % n) for n in range(60)))
    failed = [
        Result(each, tries.WAITING, 50, "500")
        for each in await tries.ready(db, one, now=1, limit=59)
    ]
    await tries.settle(db, one, failed, now=1)
    assert await given(db, one, 2, limit=2) == [60]
    assert await given(db, one, 50, limit=2) == [1, 2]


async def test_of_a_backlog_after_a_quiet_time_only_what_is_tried_is_read(dsn, db):
    one = await hook(db, *(copy(n, person=b"%d" % n) for n in range(99)))
    pool = await lanes_pool(dsn, size=1)
    sent = [Result(each, tries.SENT) for each in await tries.ready(pool, one, now=1, limit=99)]
    await tries.settle(pool, one, sent, now=1)
    await db.execute("VACUUM ANALYZE delivery")
    # The plans of this moment, with nothing waiting, must not be those for what follows.
    assert await tries.ready(pool, one, now=1, limit=20) == []
    await tries.settle(pool, one, sent[:1], now=1)
    await outbox.write(db, [copy(n, person=b"%d" % n) for n in range(100, 4000)])
    await deliveries.move(db, [one], limit=4000, now=1)
    async with pool.acquire() as lane, lane.transaction():
        found = await tries.ready(lane, one, now=1, limit=20)
        await tries.settle(lane, one, [Result(each, tries.SENT) for each in found], now=1)
        read = await lane.fetchval(READ)
    await pool.close()
    assert len(found) == 20
    assert read <= 1000
