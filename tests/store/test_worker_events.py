"""What workers did is on record with the claims themselves, and never grows without bound."""

from __future__ import annotations

from hub.kernel.worker_events import BEGAN, HELD, TOOK, WorkerEvent
from hub.store import claims, holds, worker_events

PLACES = {("event.health", 0): 5, ("event.health", 1): 5, ("event.housing", 0): 5}


async def test_a_take_over_is_told_by_the_statement_that_makes_it(db, other):
    await claims.take(db, PLACES, owner="a", now=1)
    await claims.take(other, dict(list(PLACES.items())[:2]), owner="b", now=2)
    assert await worker_events.since(db, 0) == [
        WorkerEvent(2, TOOK, "b", "a", partitions=2, stood=2, epoch=2),
        WorkerEvent(1, TOOK, "a", "", partitions=3, epoch=1),
    ]
    assert await worker_events.since(db, 2, limit=1) == [
        WorkerEvent(2, TOOK, "b", "a", partitions=2, stood=2, epoch=2)
    ]


async def test_partitions_taken_from_several_are_told_apart(db):
    first, second, third = PLACES
    await claims.take(db, {first: 0}, owner="a", now=1)
    await claims.take(db, {second: 0}, owner="b", now=1)
    await claims.take(db, {first: 0, second: 0, third: 0}, owner="c", now=2)
    told = {one.former: one.partitions for one in await worker_events.since(db, 2)}
    assert told == {"a": 1, "b": 1, "": 1}


async def test_a_hold_tells_whose_partitions_it_took(db):
    await claims.take(db, PLACES, owner="a", now=1)
    await holds.hold(db, list(PLACES), person="zhang", now=3)
    assert (await worker_events.since(db, 3))[0] == WorkerEvent(3, HELD, "zhang", "a", "", 3)
    await holds.hold(db, list(PLACES), person="li", now=4)
    assert await worker_events.since(db, 4) == []


async def test_assignments_are_listed_by_topic_and_worker(db):
    await claims.take(db, PLACES, owner="a", now=1)
    await claims.take(db, {("event.health", 1): 0}, owner="b", now=2)
    found = [(one["topic"], one["owner"], one["parts"]) for one in await worker_events.assigned(db)]
    assert found == [
        ("event.health", "a", [0]), ("event.health", "b", [1]), ("event.housing", "a", [0]),
    ]  # fmt: skip


async def test_events_are_kept_for_ten_days_and_never_more_than_a_bounded_number(db, monkeypatch):
    monkeypatch.setattr(worker_events, "KEPT_ROWS", 3)
    now = worker_events.KEPT_MS + 10
    for at in (1, 20, 21, 22, 23):
        await worker_events.note(db, WorkerEvent(at, BEGAN, "a", slot="0"))
    await worker_events.forget(db, now=now)
    assert [one.at for one in await worker_events.since(db, 0)] == [23, 22, 21]
