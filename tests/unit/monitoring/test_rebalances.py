"""Worker events as people read them."""

from __future__ import annotations

from hub.kernel.worker_events import BEGAN, ENDED, HELD, LOST, TOOK, WorkerEvent
from hub.monitoring.rebalances import Stretch, label, ranges, stretches, turns

A, B = "host/1a2b:10:x", "host/1a2b:11:y"


def test_what_the_lanes_of_one_worker_took_at_once_is_one_rebalance():
    events = [
        WorkerEvent(9_000, TOOK, B, A, partitions=2, epoch=9),
        WorkerEvent(8_000, TOOK, B, A, partitions=3, stood=1, epoch=4),
        WorkerEvent(1_000, TOOK, B, A, partitions=1, epoch=2),
        WorkerEvent(900, TOOK, B, "", partitions=1, epoch=1),
    ]
    assert [(t.event.partitions, t.event.stood, t.event.epoch) for t in turns(events)] == [
        (5, 1, 9), (1, 0, 2), (1, 0, 1),
    ]  # fmt: skip


def test_a_slot_taken_without_a_farewell_tells_of_a_death():
    events = [
        WorkerEvent(50, BEGAN, B, slot="1"),
        WorkerEvent(40, BEGAN, B, slot="0"),
        WorkerEvent(30, ENDED, A, slot="0"),
        WorkerEvent(20, BEGAN, A, slot="1"),
        WorkerEvent(10, BEGAN, A, slot="0"),
    ]
    assert [turn.unclean for turn in turns(events)] == [True, False, False, False, False]


def test_who_held_how_much_is_counted_back_from_now():
    events = [
        WorkerEvent(90, LOST, A, partitions=4),
        WorkerEvent(80, TOOK, B, A, partitions=4, epoch=2),
        WorkerEvent(60, TOOK, A, A, partitions=4, epoch=2),
        WorkerEvent(20, TOOK, A, "", partitions=4, epoch=1),
    ]
    assert stretches(events, {B: 4}, 0, 100) == {
        A: [Stretch(0.2, 0.6, 4)],
        B: [Stretch(0.8, 0.2, 4)],
    }


def test_a_hold_ends_a_stretch_and_the_next_owner_begins_one():
    events = [
        WorkerEvent(75, TOOK, B, "", partitions=2, epoch=3),
        WorkerEvent(50, HELD, "zhang", A, partitions=2),
    ]
    assert stretches(events, {A: 1, B: 2}, 0, 100) == {
        A: [Stretch(0.0, 0.5, 3), Stretch(0.5, 0.5, 1)],
        B: [Stretch(0.75, 0.25, 2)],
    }


def test_partition_numbers_and_workers_are_short_to_read():
    assert ranges([0, 1, 2, 5, 7, 8]) == "0–2, 5, 7–8"
    assert label(A) == "host · 10"
    assert label("zhang") == "zhang"
