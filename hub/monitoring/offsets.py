"""Offsets: the board of partitions, groups and topics, out of what was sounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.monitoring.lags import Status, of_group, seconds_to_drain
from hub.monitoring.pictures import Group, Partition, Topic
from hub.monitoring.rates import Rates
from hub.monitoring.windows import Window

Place = tuple[str, int]
"""Topic without prefix, and partition."""

LOST = "LOST"
"""Records left the log before they were read: worse than everything else."""
_ORDER = ("NOTFOUND", "OK", "WARN", "ERR", "STOP", "STALL", "REWIND", LOST)


def worse(one: str, other: str) -> str:
    """The worse of two states."""
    return max(one, other, key=_ORDER.index)


class Commit(NamedTuple):
    """A group's position in a partition: next offset, and when it was committed (ms)."""

    offset: int
    at: int


class Log(NamedTuple):
    """First and end offset of a partition."""

    start: int
    end: int


class Board:
    """Keeps the windows of all partitions between pictures.

    Args:
        rates: What counts positions and ends.
    """

    def __init__(self, rates: Rates | None = None) -> None:
        self._windows: dict[tuple[str, str, int], Window] = {}
        self._rates = rates or Rates()

    def partitions(
        self,
        commits: Mapping[tuple[str, str, int], Commit],
        logs: Mapping[Place, Log],
        late: Mapping[tuple[Place, int], int],
        now: int,
    ) -> list[Partition]:
        """The partitions of every group.

        Args:
            commits: (group, topic, partition) → position.
            logs: Partition → log.
            late: Partition and offset → age of the record there.
            now: ms since 1970.
        """
        found = []
        for key, commit in commits.items():
            group, topic, part = key
            log = logs.get((topic, part))
            if log is None:
                continue
            window = self._windows.setdefault(key, Window())
            window.committed(commit.offset, commit.at, log.end)
            window.ended(log.end, log.start, now)
            # A claim that somebody moved past the end of its log worked nothing there.
            self._rates.count(f"{group}/{topic}/{part}", min(commit.offset, log.end), now)
            status = LOST if window.is_lost else window.status(now).name
            found.append(
                Partition(
                    group, topic, part, commit.offset, log.end, log.start, window.lag, status,
                    window.trend(), late.get(((topic, part), commit.offset)) if window.lag else 0,
                    window.still_ms(now),
                )
            )  # fmt: skip
        self._windows = {key: one for key, one in self._windows.items() if key in commits}
        return found

    def topics(self, logs: Mapping[Place, Log], read: Iterable[Partition], now: int) -> list[Topic]:
        """Every topic, with the lag and state of the worst of the hub's groups on it."""
        lag: dict[str, int] = {}
        status: dict[str, str] = {}
        for one in read:
            if one.group.startswith("hub."):
                lag[one.topic] = lag.get(one.topic, 0) + one.lag
                status[one.topic] = worse(status.get(one.topic, "OK"), one.status)
        by_topic: dict[str, list[Log]] = {}
        for (topic, _), log in logs.items():
            by_topic.setdefault(topic, []).append(log)
        return [
            Topic(
                topic,
                len(each),
                sum(log.end for log in each),
                sum(log.end - log.start for log in each),
                self._rates.count(f"end/{topic}", sum(log.end for log in each), now),
                lag.get(topic, 0),
                status.get(topic, "OK"),
            )
            for topic, each in sorted(by_topic.items())
        ]

    def groups(self, partitions: Iterable[Partition], topics: Iterable[Topic]) -> list[Group]:
        """Every group over its partitions."""
        rates = {one.topic: one.rate for one in topics}
        by_group: dict[str, list[Partition]] = {}
        for one in partitions:
            by_group.setdefault(one.group, []).append(one)
        return [self._group(name, each, rates) for name, each in sorted(by_group.items())]

    def _group(self, name: str, each: list[Partition], rates: Mapping[str, float]) -> Group:
        lost = any(one.status == LOST for one in each)
        status = LOST if lost else of_group(Status[one.status] for one in each).name
        lag = sum(one.lag for one in each)
        consumed = sum(self._rates.rate(f"{one.group}/{one.topic}/{one.part}") for one in each)
        produced = sum(rates.get(topic, 0.0) for topic in {one.topic for one in each})
        ages = [one.late for one in each if one.late is not None]
        slope = sum(one.trend * one.lag for one in each)
        return Group(
            name,
            name.startswith("hub."),
            status,
            lag,
            (slope > 0) - (slope < 0),
            max(ages, default=None),
            len(each),
            sum(one.status not in {"OK", "NOTFOUND"} for one in each),
            consumed,
            produced,
            seconds_to_drain(lag, consumed, produced),
        )
