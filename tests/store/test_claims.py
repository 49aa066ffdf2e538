from __future__ import annotations

import asyncio
import os
from datetime import datetime

import pytest

from hub.kernel.clocks import SHANGHAI, epoch_ms
from hub.kernel.errors import ConfigurationError
from hub.store import alarms, attempts, claims, connections, crashes, leases, seen, timers
from hub.store.connections import ConflictError, FenceError
from hub.store.migrations import CONTRACT, EXPAND, applied, blocking, migrate

PLACE = ("event.health", 0)
ID = "0b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f4"


async def test_taking_a_partition_over_fences_the_former_owner(db, other):
    zombie = (await claims.take(db, {PLACE: 5}, owner="a", now=1))[PLACE]
    assert (zombie.epoch, zombie.next_offset) == (1, 5)
    owner = (await claims.take(other, {PLACE: 0}, owner="b", now=2))[PLACE]
    assert (owner.epoch, owner.next_offset) == (2, 5)
    with pytest.raises(FenceError):
        async with db.transaction():
            await claims.fence(db, [(zombie, 9)], now=3)
    async with other.transaction():
        await claims.fence(other, [(owner, 8)], now=3)
    assert await claims.reread(db, [zombie]) == {}
    assert (await claims.reread(db, [owner]))[PLACE].next_offset == 8


async def test_one_lost_claim_refuses_the_whole_batch(db, other):
    places = {PLACE: 0, ("event.health", 1): 0}
    mine = await claims.take(db, places, owner="a", now=1)
    await claims.take(other, {PLACE: 0}, owner="b", now=2)
    with pytest.raises(FenceError):
        async with db.transaction():
            await claims.fence(db, [(claim, 3) for claim in mine.values()], now=3)
    assert await db.fetch("SELECT 1 FROM partition_claim WHERE next_offset > 0") == []


async def test_a_crash_is_counted_only_by_the_owner(db, other):
    zombie = (await claims.take(db, {PLACE: 5}, owner="a", now=1))[PLACE]
    crash = crashes.Crash(*PLACE, 6, ID + "0", "ValueError at decider.py:7")
    assert await crashes.record(db, crash, zombie, now=1) == 1
    owner = (await claims.take(other, {PLACE: 0}, owner="b", now=2))[PLACE]
    with pytest.raises(FenceError):
        await crashes.record(db, crash, zombie, now=3)
    assert await crashes.record(other, crash, owner, now=3) == 2
    assert await crashes.ahead(other, [owner]) == {PLACE: {6: 2}}


async def test_a_dead_letter_may_be_decided_later_but_a_decided_event_stays(db):
    row = seen.Seen(
        202504, ID + "1", b"12345678", seen.DEAD_LETTER, "E-DATE", "a.b", 0, 7, "health"
    )
    await seen.write(db, [row], now=1)
    row.disposition = seen.DECIDED
    await seen.write(db, [row], now=2, again={row.event_id})
    assert await seen.known(db, [(202504, ID + "1")]) == {ID + "1": (b"12345678", "decided")}
    with pytest.raises(ConflictError):
        await seen.write(db, [row], now=3, again={row.event_id})
    with pytest.raises(ConflictError):
        await seen.write(db, [row], now=3)


async def test_months_are_made_ahead_and_dropped_after_400_days(db):
    await seen.keep_months(db, datetime(2025, 4, 30, tzinfo=SHANGHAI))
    made = await _partitions(db)
    assert {"seen_event_202403", "seen_event_202504", "seen_event_202507"} <= made
    later = datetime(2026, 4, 30, tzinfo=SHANGHAI)
    late = seen.Seen(202404, ID + "1", b"12345678", seen.DECIDED, None, "a.b", 0, 7, "health")
    await seen.write(db, [late], now=epoch_ms(later))
    await seen.keep_months(db, later)
    kept = await _partitions(db)
    assert "seen_event_202403" not in kept
    assert "seen_event_202404" in kept
    assert "seen_event_202604" in kept


async def test_two_workers_that_start_at_once_both_keep_the_months(db, other):
    for year in range(2025, 2031):
        now = datetime(year, 4, 30, tzinfo=SHANGHAI)
        await asyncio.gather(seen.keep_months(db, now), seen.keep_months(other, now))
    assert "seen_event_203007" in await _partitions(db)


async def _partitions(db):
    rows = await db.fetch("SELECT relname FROM pg_class WHERE relname LIKE 'seen_event_%'")
    return {row[0] for row in rows}


async def test_a_timer_is_claimed_once_and_not_at_all_after_it_was_moved(db, other):
    timer = timers.Timer("k", 10, "due", {"n": 1}, "e", "c", None, "H-1", "320682")
    await timers.write(db, {"k": timer, "gone": None})
    (due,) = await timers.due(db, 10, 5)
    assert due == timer
    async with db.transaction():
        assert await timers.claim(db, [due]) == {"k"}
        async with other.transaction():
            assert await timers.claim(other, [due]) == set()
    await timers.write(db, {"k": timers.Timer("k", 99, "due", {}, "e", "c", None, None, "")})
    assert await timers.claim(db, [due]) == set()
    assert await db.fetchval("SELECT min(due_at) FROM timer") == 99


async def test_a_slot_is_held_by_one_process_and_free_once_that_process_is_gone(db, other):
    ours = leases.owner_name("a")
    assert await leases.acquire_slot(db, ours) == 0
    assert await leases.acquire_slot(other, leases.owner_name("b")) == 1
    dead = ours.replace(f":{ours.split(':')[1]}:", ":999999999:")
    await db.execute("UPDATE lease SET owner = $1 WHERE name = 'slot/0'", dead)
    assert await leases.acquire_slot(db, ours) == 0
    assert await leases.holders(db, "slot/") == 2


async def test_a_changed_migration_and_a_newer_database_are_refused(db):
    assert await migrate(db) == []
    await db.execute("UPDATE migration SET checksum = 'x' WHERE number = 1")
    with pytest.raises(ConfigurationError, match="0001_records"):
        await migrate(db)
    await db.execute("INSERT INTO migration (number, name, checksum) VALUES (9999, 'later', 'x')")
    with pytest.raises(ConfigurationError, match="newer release"):
        await migrate(db)


async def test_a_release_runs_on_tables_that_a_newer_one_only_added_to(db):
    later = "INSERT INTO migration (number, name, checksum, kind) VALUES ($1, 'later', 'x', $2)"
    await db.execute(later, 9998, EXPAND)
    assert await migrate(db) == []
    assert blocking(await applied(db)) is None
    await db.execute(later, 9999, CONTRACT)
    assert blocking(await applied(db)) == 9999
    with pytest.raises(ConfigurationError, match="9999"):
        await migrate(db)


async def test_a_database_of_the_release_before_is_brought_up_to_this_one(db):
    await db.execute("ALTER TABLE migration DROP COLUMN kind")
    assert set((await applied(db)).values()) == {CONTRACT}
    assert await migrate(db) == []
    claim = "INSERT INTO partition_claim (topic, part, epoch, owner, next_offset, committed_at)"
    await db.execute(f"{claim} VALUES ('event.health', 0, 4, 'old', 7, 1)")
    taken = (await claims.take(db, {PLACE: 0}, owner="a", now=1, topic_ids={PLACE[0]: "T"}))[PLACE]
    assert (taken.epoch, taken.next_offset, taken.topic_id, taken.taken_there) == (5, 7, "T", 1)


async def test_a_claim_tells_how_often_its_owners_got_nowhere(db):
    for count in (1, 2, 3):
        claim = (await claims.take(db, {PLACE: 5}, owner="a", now=1))[PLACE]
        assert (claim.taken_there, claim.taken_offset) == (count, 5)
    async with db.transaction():
        await claims.fence(db, [(claim, 8)], now=3)
    assert (await claims.reread(db, [claim]))[PLACE].taken_there == 3
    claim = (await claims.take(db, {PLACE: 5}, owner="a", now=1))[PLACE]
    assert (claim.taken_there, claim.taken_offset) == (1, 8)


async def test_only_the_dead_who_had_something_to_work_are_counted(db):
    async def take(**known):
        return (await claims.take(db, {PLACE: 5}, owner="a", now=1, **known))[PLACE].taken_there

    assert [await take() for _ in range(2)] == [1, 2]
    assert await take(living=["a", "b"]) == 2
    assert await take(living=["b"]) == 3
    assert await take(worked=[PLACE]) == 1


async def test_an_owner_lives_while_its_slot_does(db):
    mine, gone = leases.owner_name("x"), leases.owner_name("x").replace(str(os.getpid()), "999999")
    elsewhere = "elsewhere/0:1:x"
    for number, owner in enumerate((mine, gone, elsewhere)):
        await leases.acquire(db, f"slot/{number}", owner)
    await leases.acquire(db, "timers", "elsewhere/0:2:x")
    assert sorted(await leases.living(db)) == sorted([mine, elsewhere])


async def test_a_claim_keeps_the_id_of_the_topic_it_was_made_on(db):
    await claims.take(db, {PLACE: 5}, owner="a", now=1, topic_ids={PLACE[0]: "first"})
    claim = (await claims.take(db, {PLACE: 0}, owner="a", now=1, topic_ids={PLACE[0]: "second"}))[
        PLACE
    ]
    assert claim.topic_id == "first"


async def test_an_attempt_that_never_ended_is_a_death(db, other):
    claim = (await claims.take(db, {PLACE: 5}, owner="a", now=1))[PLACE]
    assert await attempts.begin(db, "p", claim, owner="a", now=1) == (0, None)
    await attempts.decoded(db, "p", ID + "0")
    assert await attempts.begin(db, "p", claim, owner="a", now=2) == (1, ID + "0")
    await attempts.end(db, "p")
    assert await attempts.begin(db, "p", claim, owner="a", now=3) == (0, None)
    await claims.take(other, {PLACE: 0}, owner="b", now=4)
    with pytest.raises(FenceError):
        await attempts.begin(db, "p", claim, owner="a", now=5)
    await attempts.forget(db, now=86_400_004)
    assert await db.fetchval("SELECT count(*) FROM attempt") == 0


async def test_an_alarm_stands_once_until_it_is_cleared(db):
    for at in (1, 2):
        await alarms.sound(db, "partition_stopped", "event.health/0", f"detail {at}", now=at)
    (standing,) = await alarms.standing(db)
    assert (standing.first_at, standing.last_at, standing.count) == (1, 2, 2)
    assert standing.detail == "detail 2"
    await alarms.clear(db, ["partition_stopped"], ["event.health/1"], now=3)
    assert len(await alarms.standing(db)) == 1
    await alarms.clear(db, ["partition_stopped"], ["event.health/0"], now=3)
    assert await alarms.standing(db) == []
    assert await alarms.sound(db, "partition_stopped", "event.health/0", "again", now=4)
    assert [one.cleared_at for one in await alarms.history(db, limit=5)] == [None, 3]


async def test_a_session_that_stands_still_inside_a_copy_is_cut(dsn, db, other):
    going = asyncio.Event()

    async def rows():
        yield b"x\n"
        going.set()
        await asyncio.sleep(30)

    await other.execute("CREATE TABLE copied (a text)")
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
    pid = other.get_server_pid()
    copy = asyncio.create_task(other.copy_to_table("copied", source=rows()))
    await going.wait()
    await asyncio.sleep(0.2)
    assert await connections.cut_stalled(db) == 0
    await asyncio.sleep(5.2)
    assert await connections.cut_stalled(db) == 1
    copy.cancel()
    await asyncio.gather(copy, return_exceptions=True)
    # The server ends a session in its own time.
    async with asyncio.timeout(20):
        while await db.fetchval(sessions, pid):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
