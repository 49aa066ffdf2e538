"""Throughputs: in and out per stage and topic, over an hour, a day and ten days."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.histories import SPANS, chart, long, recent
from hub.console.languages import mark
from hub.console.live_pages import register, show
from hub.console.lives import LivePage, Query, Values
from hub.console.permissions import Permission
from hub.console.visitors import Signed
from hub.monitoring.pictures import Picture

router = APIRouter(include_in_schema=False)
_STAGES = {
    "received": mark("received"),
    "canonical": mark("canonical"),
    "decided": mark("decided"),
    "delivered": mark("delivered"),
}
_KINDS = {
    "in": mark("From departments"),
    "event": mark("Canonical facts"),
    "program": mark("To programs"),
}


async def _view(console: Console, picture: Picture, query: Query) -> Values:
    span = query.get("span", "1h")
    stages = await long(console, [f"stage/{name}" for name in _STAGES], span, picture.at)
    sparks = await recent(console, [f"rate/{one.topic}" for one in picture.topics], picture.at)
    busiest = sorted(picture.topics, key=lambda one: (-one.rate, -one.end, one.topic))
    return {
        "span": span,
        "spans": SPANS,
        "chart": chart([(name, stages[f"stage/{key}"]) for key, name in _STAGES.items()], "/s"),
        "rates": picture.stages,
        "totals": picture.totals,
        "stage_names": _STAGES,
        "kinds": [
            (name, [one for one in busiest if one.topic.startswith(f"{start}.")])
            for start, name in _KINDS.items()
        ],
        "topic_name": console.names.topic,
        "sparks": sparks,
    }


THROUGHPUT = register(
    LivePage(
        "throughput",
        Permission.VIEW,
        "throughput.html",
        {"throughput": "throughput_main.html"},
        _view,
    )
)


@router.get("/throughput")
async def throughput(request: Request, console: Here, visitor: Signed) -> Response:
    """Records per second by stage and topic."""
    return await show(request, console, visitor, THROUGHPUT)
