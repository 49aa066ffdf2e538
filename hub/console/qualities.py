"""Qualities: how far each department's time stamps can be trusted, and what to tell it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.languages import mark
from hub.console.live_pages import register, show
from hub.console.lives import LivePage, Query, Values
from hub.console.permissions import Permission
from hub.console.visitors import Signed
from hub.monitoring.pictures import Picture, Quality
from hub.monitoring.time_quality import LATE_MS, SKEW_MS

router = APIRouter(include_in_schema=False)

FLAWS = {
    "late": mark("Late"),
    "out_of_order": mark("Out of order"),
    "duplicate": mark("Sent twice"),
    "skewed": mark("Clock wrong"),
}
ADVICE = {
    "late": mark("Hand facts over on the day they happen; send what waits in drawers first."),
    "out_of_order": mark("Send the facts of one person in the order in which they happened."),
    "duplicate": mark("Check what was sent before sending again; repeats have no effect here."),
    "skewed": mark("Set the clock of the sending machine by a time server."),
}
SHARES = (0.05, 0.2)
"""From which share of an hour's events a flaw is a warning, and bad."""


def rated(one: Quality) -> dict[str, Any]:
    """A department's row: share and status of each flaw, worst first the advice."""
    flaws = {name: _rate(getattr(one, name), one.events) for name in FLAWS}
    told = sorted((name for name in FLAWS if flaws[name]["status"] != "good"), key=_worst(flaws))
    worst = flaws[told[0]]["status"] if told else "good"
    return {"it": one, "flaws": flaws, "told": told, "status": worst}


def _worst(flaws: dict[str, dict[str, Any]]) -> Any:
    return lambda name: -flaws[name]["share"]


def _rate(count: int, events: int) -> dict[str, Any]:
    share = count / events if events else 0.0
    status = "bad" if share >= SHARES[1] else "warn" if share >= SHARES[0] else "good"
    return {"count": count, "share": share, "status": status}


async def _view(console: Console, picture: Picture, query: Query) -> Values:
    del query
    rows = [rated(one) for one in picture.quality]
    order = {"bad": 0, "warn": 1, "good": 2}
    return {
        "rows": sorted(rows, key=lambda row: (order[row["status"]], -row["it"].events)),
        "flaw_names": FLAWS,
        "advice": ADVICE,
        "name": console.names.department,
        "late_ms": LATE_MS,
        "skew_ms": SKEW_MS,
    }


QUALITY = register(
    LivePage("quality", Permission.VIEW, "quality.html", {"quality": "quality_main.html"}, _view)
)


@router.get("/quality")
async def quality(request: Request, console: Here, visitor: Signed) -> Response:
    """Late, out of order, repeated, wrongly stamped: by department."""
    return await show(request, console, visitor, QUALITY)
