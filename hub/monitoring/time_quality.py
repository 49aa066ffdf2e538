"""Time quality: how far each department's stamps can be trusted, out of what passes by."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from hub.monitoring.pictures import Quality

WINDOW_MS = 3_600_000
LATE_MS = 86_400_000
"""A fact recorded so long after it happened is late."""
SKEW_MS = 300_000
"""A stamp so far ahead of the broker's clock tells of a wrong clock."""
_REMEMBERED = 20_000


class Seen(NamedTuple):
    """One event as it passed.

    Attributes:
        source: Department.
        event_id: Its id.
        occurred: When it happened, ms since 1970.
        recorded: When the connector made the record.
        received: When the broker took it.
        key: What the order is about: the person; empty: none.
    """

    source: str
    event_id: str
    occurred: int
    recorded: int
    received: int
    key: bytes


class TimeQuality:
    """Counts over the last hour, by department."""

    def __init__(self) -> None:
        self._events: deque[tuple[int, str, frozenset[str]]] = deque()
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._orders: OrderedDict[tuple[str, bytes], int] = OrderedDict()

    def note(self, events: Iterable[Seen]) -> None:
        """Note events in the order of the log."""
        for one in events:
            flaws = set()
            if min(one.recorded, one.received) - one.occurred > LATE_MS:
                flaws.add("late")
            if one.recorded > one.received + SKEW_MS or one.occurred > one.recorded + SKEW_MS:
                flaws.add("skewed")
            if one.event_id in self._ids:
                flaws.add("duplicate")
            elif one.key:
                place = one.source, one.key
                if one.occurred < self._orders.get(place, 0):
                    flaws.add("out_of_order")
                else:
                    _keep(self._orders, place, one.occurred)
            _keep(self._ids, one.event_id, None)
            self._events.append((one.received, one.source, frozenset(flaws)))

    def counts(self, now: int) -> list[Quality]:
        """The last hour."""
        while self._events and self._events[0][0] < now - WINDOW_MS:
            self._events.popleft()
        found: dict[str, Quality] = {}
        for _, source, flaws in self._events:
            one = found.setdefault(source, Quality(source, 0, 0, 0, 0, 0))
            one.events += 1
            one.late += "late" in flaws
            one.out_of_order += "out_of_order" in flaws
            one.duplicate += "duplicate" in flaws
            one.skewed += "skewed" in flaws
        return sorted(found.values(), key=lambda one: one.source)


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)
