"""Lag boards: every group and partition, how far behind and whether it moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.histories import recent
from hub.console.live_pages import register, show
from hub.console.lives import LivePage, Query, Values
from hub.console.permissions import Permission
from hub.console.sheets import sheet
from hub.console.states import PARTITION, rank
from hub.console.visitors import Signed
from hub.kernel.alarms import ALARMS
from hub.monitoring.pictures import Partition, Picture

router = APIRouter(include_in_schema=False)
ROWS = 50
"""Partitions on one sheet; the worst come first."""


def _trouble(one: Partition) -> int:
    return -one.lag if PARTITION[one.status][0] != "good" else 0


ORDERS: dict[str, Callable[[Partition], Any]] = {
    # Those that are well keep their places, or the board would never stand still.
    "state": lambda one: (-rank(one.status), _trouble(one), one.topic, one.part),
    "lag": lambda one: (-one.lag, one.topic, one.part),
    "late": lambda one: (-(one.late or 0), one.topic, one.part),
    "topic": lambda one: (one.topic, one.part, one.group),
}


def chosen(picture: Picture, query: Query) -> list[Partition]:
    """The partitions that the address asks for, in its order."""
    group, topic, state = (query.get(name, "") for name in ("group", "topic", "state"))
    found = [
        one
        for one in picture.partitions
        if (not group or one.group == group)
        and (not topic or one.topic == topic)
        and (not state or PARTITION[one.status][0] == state)
    ]
    found.sort(key=ORDERS.get(query.get("order", ""), ORDERS["state"]))
    return found


async def _view(console: Console, picture: Picture, query: Query) -> Values:
    keys = [f"lag/{one.group}" for one in picture.groups]
    return {
        "groups": sorted(picture.groups, key=lambda one: (not one.hub, one.group)),
        "sheet": sheet(chosen(picture, query), query.get("page", ""), ROWS),
        "states": PARTITION,
        "why": {kind: (one.zh, one.en) for kind, one in ALARMS.items()},
        "topic_name": console.names.topic,
        "sparks": await recent(console, keys, picture.at),
        "filters": {name: query.get(name, "") for name in ("group", "topic", "state", "order")},
        "topics": sorted({one.topic for one in picture.partitions}),
    }


LAG = register(
    LivePage(
        "lag",
        Permission.VIEW,
        "lag.html",
        {"groups": "lag_groups.html", "partitions": "lag_partitions.html"},
        _view,
        frozenset({"groups", "partitions"}),
    )
)


@router.get("/lag")
async def board(request: Request, console: Here, visitor: Signed) -> Response:
    """The board; ``group``, ``topic``, ``state``, ``order`` and ``page`` choose what it shows."""
    return await show(request, console, visitor, LAG)


@router.get("/lag/{topic}")
async def of_topic(topic: str, request: Request, console: Here, visitor: Signed) -> Response:
    """The board of one topic."""
    return await show(request, console, visitor, LAG, topic=topic)
