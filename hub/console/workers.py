"""Workers: who holds what, how it changed hands, alarms and crashes."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import asyncpg
from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.histories import SPANS, level_of
from hub.console.live_pages import register, show
from hub.console.lives import LivePage, Query, Values
from hub.console.permissions import Permission
from hub.console.visitors import Signed
from hub.kernel.alarms import ALARMS
from hub.kernel.worker_events import WorkerEvent
from hub.monitoring import rebalances
from hub.monitoring.pictures import Picture
from hub.store import soundings, worker_events

router = APIRouter(include_in_schema=False)
_LINES = 60
_SHAPES = {"began": "none", "ended": "none", "took": "good", "held": "warn", "lost": "warn"}


class Line(NamedTuple):
    """A line of the timeline.

    Attributes:
        at: ms since 1970.
        kind: Of a worker event, or ``crash``, ``alarm``, ``cleared``.
        shape: Of its status.
        it: The turn, crash or alarm.
    """

    at: int
    kind: str
    shape: str
    it: Any


async def _view(console: Console, picture: Picture, query: Query) -> Values:
    span = query.get("span", "1h")
    span = span if span in SPANS else "1h"
    since = picture.at - level_of(span).kept
    events = await worker_events.since(console.pool, since)
    claims = await worker_events.assigned(console.pool)
    alarms = await soundings.alarms(console.pool)
    held: Counter[str] = Counter()
    for one in claims:
        held[one["owner"]] += len(one["parts"])
    living = {one.owner for one in picture.workers}
    return {
        "span": span,
        "spans": SPANS,
        "workers": picture.workers,
        "gone": [(owner, held[owner]) for owner in sorted(held) if owner and owner not in living],
        "held": held,
        "most": max(held.values(), default=0),
        "label": rebalances.label,
        "ranges": rebalances.ranges,
        "charts": rebalances.stretches(events, held, since, picture.at),
        "lines": await _lines(console, events, alarms, since),
        "claims": [(topic, list(each)) for topic, each in groupby(claims, itemgetter("topic"))],
        "alarms": alarms,
        "words": ALARMS,
        "crashes": await soundings.crashes(console.pool),
        "at": picture.at,
    }


async def _lines(
    console: Console, events: list[WorkerEvent], alarms: list[asyncpg.Record], since: int
) -> list[Line]:
    """Events, crashes and alarms in one order, the latest first."""
    lines = [
        Line(turn.event.at, turn.event.kind, _SHAPES.get(turn.event.kind, "none"), turn)
        for turn in rebalances.turns(events)
    ]
    crashes = await soundings.crashes_since(console.pool, since, _LINES)
    lines += [Line(crash["at"], "crash", "bad", crash) for crash in crashes]
    for alarm in alarms:
        lines.append(Line(alarm["first_at"], "alarm", "bad", alarm))
        if alarm["cleared_at"] is not None:
            lines.append(Line(alarm["cleared_at"], "cleared", "good", alarm))
    lines.sort(key=lambda one: -one.at)
    return [one for one in lines if one.at >= since][:_LINES]


WORKERS = register(
    LivePage("workers", Permission.VIEW, "workers.html", {"workers": "worker_list.html"}, _view)
)


@router.get("/workers")
async def workers(request: Request, console: Here, visitor: Signed) -> Response:
    """Workers, what they hold and how it changed hands."""
    return await show(request, console, visitor, WORKERS)
