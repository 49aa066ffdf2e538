"""Latency boards: how long each hop takes, and whether the promise of seconds is kept."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.histories import SPANS, chart, long
from hub.console.languages import mark
from hub.console.live_pages import register, show
from hub.console.lives import LivePage, Query, Values
from hub.console.permissions import Permission
from hub.console.visitors import Signed
from hub.monitoring.latencies import HOPS
from hub.monitoring.pictures import Picture

router = APIRouter(include_in_schema=False)
NAMES = {
    "recorded": mark("happened → on record at the department"),
    "received": mark("on record → in the hub's log"),
    "committed": mark("in the log → decided"),
    "delivered": mark("decided → at the program"),
    "accepted": mark("at the program → referral accepted"),
}


async def _view(console: Console, picture: Picture, query: Query) -> Values:
    span = query.get("span", "1h")
    keys = [f"p{share}/delivered" for share in (50, 95, 99)]
    points = await long(console, keys, span, picture.at)
    return {
        "span": span,
        "spans": SPANS,
        "hops": [(NAMES[hop], picture.hops.get(hop)) for hop in HOPS],
        "burn": picture.burn,
        "chart": chart([(key.partition("/")[0], points[key]) for key in keys], "ms"),
    }


LATENCY = register(
    LivePage("latency", Permission.VIEW, "latency.html", {"latency": "latency_main.html"}, _view)
)


@router.get("/latency")
async def latency(request: Request, console: Here, visitor: Signed) -> Response:
    """Percentiles of every hop."""
    return await show(request, console, visitor, LATENCY)
