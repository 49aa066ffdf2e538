"""Burrow's own cases as data, and the false alarms that must not happen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hub.monitoring import lags
from hub.monitoring.lags import Commit, Status
from hub.monitoring.windows import Window

CASES = yaml.safe_load((Path(__file__).parent / "burrow_cases.yaml").read_text("utf-8"))
SECOND = 1000


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_case_of_burrow_has_burrows_answer_or_a_reason(case: dict[str, Any]) -> None:
    commits = [Commit(*one) for one in case["commits"]]
    found = lags.status(commits, case["lag"], case["now"], ends=case["ends"])
    assert found.name == case.get("ours", case["burrow"])
    assert ("ours" in case) == ("because" in case)


def test_a_window_that_is_not_full_enough_tells_nothing() -> None:
    commits = [Commit(10, 1, 5)]
    assert lags.status(commits, 5, 10_000, complete=0.1, least_complete=0.5) is Status.OK
    assert lags.status(commits, 5, 10_000, complete=0.1) is Status.STOP
    assert lags.status([], 5, 10_000) is Status.OK


def test_a_group_is_as_bad_as_its_worst_partition_but_never_worse_than_err() -> None:
    assert lags.of_group([Status.OK, Status.STALL, Status.WARN]) is Status.ERR
    assert lags.of_group([Status.OK, Status.WARN]) is Status.WARN
    assert lags.of_group([]) is Status.NOTFOUND


def test_seventy_commits_a_second_under_standing_lag_are_no_alarm() -> None:
    window, offset = Window(), 0
    for tick in range(70 * 120):
        now = tick * SECOND // 70
        offset += 10
        # The lag swings around five hundred, as it does under steady load.
        end = offset + 500 + (tick % 7 - 3) * 20
        window.ended(end, 0, now)
        window.committed(offset, now, end)
        assert window.status(now) is Status.OK, now
    assert window.complete == 1.0
    # A pause of a few seconds is none either.
    window.ended(offset + 5000, 0, now + 8 * SECOND)
    assert window.status(now + 8 * SECOND) is Status.OK


def test_hourly_traffic_is_no_alarm_while_it_comes_in() -> None:
    window, offset = Window(), 0
    hour = 3_600_000
    for n in range(1, 13):
        now = n * hour
        end = offset + 100
        window.ended(end, 0, now)
        assert window.status(now) is Status.OK
        offset = end
        window.committed(offset, now + 2 * SECOND, end)
        window.ended(end, 0, now + 5 * SECOND)
        assert window.status(now + 5 * SECOND) is Status.OK


def test_a_worker_that_stands_is_a_stop_after_thirty_seconds() -> None:
    window = Window()
    for n in range(20):
        window.ended(n * 100 + 50, 0, n * 5 * SECOND)
        window.committed(n * 100, n * 5 * SECOND, n * 100 + 50)
    last = 19 * 5 * SECOND
    seen = {}
    for later in range(5, 200, 5):
        now = last + later * SECOND
        window.ended(19 * 100 + 50 + later, 0, now)
        seen[later] = window.status(now)
    assert seen[25] is Status.OK
    assert seen[195] is Status.STOP


def test_records_that_left_the_log_unread_are_a_loss() -> None:
    window = Window()
    window.committed(100, 0, 200)
    window.ended(200, 150, 0)
    assert window.is_lost
    window.committed(150, 1, 200)
    assert not window.is_lost


def test_a_rebalance_that_commits_an_old_offset_once_is_no_rewind_afterwards() -> None:
    window = Window()
    for at, offset in enumerate((100, 200, 300, 250, 300, 400)):
        window.ended(1000, 0, at * 20 * SECOND)
        window.committed(offset, at * 20 * SECOND, 1000)
    assert window.status(6 * 20 * SECOND) is Status.OK


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=2, max_size=10))
def test_the_trend_is_the_sign_of_the_slope(points: list[tuple[int, int]]) -> None:
    commits = [Commit(0, at * 5000, lag) for at, (_, lag) in enumerate(points)]
    found = lags.trend(commits, commits[-1].lag or 0)
    change = lags.slope(commits)
    assert found in {-1, 0, 1}
    assert found == 0 or (found > 0) == (change > 0)


def test_draining_needs_more_read_than_written() -> None:
    assert lags.seconds_to_drain(100, 30, 20) == 10
    assert lags.seconds_to_drain(100, 20, 20) is None
    assert lags.seconds_to_drain(0, 0, 5) == 0
