from __future__ import annotations

from datetime import datetime

import pytest

from hub.kernel.clocks import SHANGHAI, epoch_ms
from hub.kernel.errors import ConfigurationError
from hub.store import claims, crashes, leases, seen, timers
from hub.store.connections import ConflictError, FenceError
from hub.store.migrations import migrate

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
    row = seen.Seen(202504, ID + "1", b"12345678", seen.DEAD_LETTER, "E-DATE", "a.b", 0, 7)
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
    late = seen.Seen(202404, ID + "1", b"12345678", seen.DECIDED, None, "a.b", 0, 7)
    await seen.write(db, [late], now=epoch_ms(later))
    await seen.keep_months(db, later)
    kept = await _partitions(db)
    assert "seen_event_202403" not in kept
    assert "seen_event_202404" in kept
    assert "seen_event_202604" in kept


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
    await db.execute("INSERT INTO migration VALUES (9999, 'later', 'x')")
    with pytest.raises(ConfigurationError, match="newer release"):
        await migrate(db)
