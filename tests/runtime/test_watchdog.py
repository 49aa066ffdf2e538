from __future__ import annotations

import asyncio
import threading
import time

from hub.runtime.progress import Progress
from hub.runtime.watchdog import Watchdog


def test_lag_without_progress_ends_the_process():
    died = threading.Event()
    stage = Progress("decide")
    dog = Watchdog([stage], lambda _: died.set(), still_seconds=0.2)
    dog.start()
    for _ in range(5):
        stage.measured(lag=0, assigned=4)
        dog.tick()
        time.sleep(0.1)
    assert not died.is_set()
    stage.measured(lag=7, assigned=4)
    for _ in range(40):
        dog.tick()
        if died.wait(0.05):
            break
    assert died.is_set()


def test_a_stage_that_moves_or_has_nothing_assigned_is_left_alone():
    stage = Progress("decide")
    dog = Watchdog([stage], lambda _: None, still_seconds=0.1)
    stage.measured(lag=7, assigned=0)
    time.sleep(0.15)
    dog.tick()
    assert dog.verdict() == ""
    stage.measured(lag=7, assigned=2)
    stage.moved()
    assert dog.verdict() == ""


def test_a_worker_that_the_group_does_not_take_in_again_ends():
    stage = Progress("decide")
    dog = Watchdog([stage], lambda _: None, still_seconds=0.05)
    dog.tick()
    stage.joining(waits=True)
    assert dog.verdict() == ""
    time.sleep(0.15)
    dog.tick()
    stage.joining(waits=True)
    assert "group" in dog.verdict()
    stage.joining(waits=False)
    assert dog.verdict() == ""


async def test_a_blocked_event_loop_is_noticed_from_the_thread():
    died = threading.Event()
    dog = Watchdog([], lambda _: died.set(), still_seconds=0.2)
    dog.start()
    await asyncio.sleep(0)
    time.sleep(0.6)  # noqa: ASYNC251 - the loop is blocked on purpose
    assert died.is_set()
