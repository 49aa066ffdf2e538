"""Connectors: each department's state, out of its heartbeat and what its topics received."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hub.kernel.working_days import Calendar
from hub.monitoring import freshness
from hub.monitoring.freshness import Span
from hub.monitoring.offsets import Log, Place
from hub.monitoring.pictures import Connector, Item
from hub.monitoring.rates import Rates


class Expected(msgspec.Struct, frozen=True):
    """What a manifest says of one item."""

    connector: str
    item: str
    topic: str
    every: int
    working_days: bool


class Arrivals:
    """When each topic last grew; what was there before the first look counts from its record."""

    def __init__(self) -> None:
        self._ends: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def note(self, logs: Mapping[Place, Log], newest: Mapping[str, int], now: int) -> None:
        """Note the ends of topics.

        Args:
            logs: Partition → log.
            newest: Topic → time of its newest record, where it was read.
            now: ms since 1970.
        """
        ends: dict[str, int] = {}
        for (topic, _), log in logs.items():
            ends[topic] = ends.get(topic, 0) + log.end
        for topic, end in ends.items():
            known = self._ends.get(topic)
            if known is not None and end > known:
                self._last[topic] = now
            self._ends[topic] = end
        for topic, at in newest.items():
            self._last[topic] = max(self._last.get(topic, 0), at)

    def last(self, topic: str) -> int | None:
        """When a topic last received something, ms since 1970."""
        return self._last.get(topic)

    def end(self, topic: str) -> int:
        """Records it ever received."""
        return self._ends.get(topic, 0)


def connectors(
    expected: Iterable[Expected],
    *,
    arrivals: Arrivals,
    beats: Mapping[str, Mapping[str, Any]],
    planned: Mapping[str, list[Span]],
    rejected: Mapping[str, int],
    rates: Rates,
    calendar: Calendar,
    now: int,
) -> list[Connector]:
    """The state of every declared connector.

    Args:
        expected: What the manifests say.
        arrivals: When topics last grew.
        beats: Connector → its last heartbeat: ``at``, ``paused``, ``items``.
        planned: Department → maintenance.
        rejected: Department → open dead letters.
        rates: Of topics.
        calendar: Working days.
        now: ms since 1970.
    """
    by_connector: dict[str, list[Expected]] = {}
    for one in expected:
        by_connector.setdefault(one.connector, []).append(one)
    found = []
    for name, wanted in sorted(by_connector.items()):
        beat = beats.get(name, {})
        spans = planned.get(name, [])
        items = [_item(one, beat, arrivals, spans, rates, calendar, now) for one in wanted]
        found.append(_connector(name, items, beat, spans, rejected.get(name, 0), now))
    return found


def _connector(
    name: str,
    items: list[Item],
    beat: Mapping[str, Any],
    spans: list[Span],
    rejected: int,
    now: int,
) -> Connector:
    reported = beat.get("items", {})
    now_planned = [span.end for span in spans if span.start <= now < span.end]
    state = freshness.state(
        beat_at=beat.get("at"),
        now=now,
        paused=bool(beat.get("paused")),
        failing=sum(item.errors > 0 for item in items),
        items=len(reported),
        silent=any(item.is_silent for item in items),
    )
    late = max((item.silent or 0 for item in items if item.is_silent), default=0)
    return Connector(
        name,
        str(state),
        beat.get("at"),
        bool(beat.get("paused")),
        items,
        rejected,
        late,
        max(now_planned, default=None),
    )


def _item(
    one: Expected,
    beat: Mapping[str, Any],
    arrivals: Arrivals,
    spans: list[Span],
    rates: Rates,
    calendar: Calendar,
    now: int,
) -> Item:
    last = arrivals.last(one.topic)
    silent = freshness.silence(
        last, now, working_days=one.working_days, calendar=calendar, planned=spans
    )
    told = beat.get("items", {}).get(one.item, {})
    return Item(
        one.item,
        one.topic,
        last,
        silent,
        one.every,
        freshness.is_silent(silent, one.every),
        arrivals.end(one.topic),
        rates.rate(f"end/{one.topic}"),
        rates.usual(f"end/{one.topic}"),
        int(told.get("errors", 0)),
        str(told.get("error", "")),
    )
