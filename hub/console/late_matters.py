"""Late matters: what is open and past its clock, urgent first, and who waits behind a trouble."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.languages import mark
from hub.console.maps import hands, told
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.visitors import Signed
from hub.monitoring.findings import findings
from hub.store import late_matters

router = APIRouter(include_in_schema=False)

CLOCKS: dict[str, str] = {
    "2h": mark("2 hours"),
    "24h": mark("24 hours"),
    "5d": mark("5 days"),
    "longer": mark("longer"),
}
LEVELS: dict[str, tuple[str, str]] = {
    "county": ("县级经办", "County"),
    "town": ("乡镇街道", "Township"),
    "village": ("村社区", "Village"),
}
_TROUBLES = 12
"""Troubles for which affected households are counted."""
_HARMLESS = frozenset({"overdue", "flood", "connector_paused"})


async def affected(console: Console) -> list[dict[str, Any]]:
    """Troubles at hand with a count of the households or persons that wait behind each."""
    picture = console.pictures.last
    if picture is None:
        return []
    taken = await hands(console)
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    programs = {one.program for one in picture.programs}
    for one in findings(picture):
        if one.who in seen or one.kind in _HARMLESS or len(found) == _TROUBLES:
            continue
        if one.who in programs:
            count = await late_matters.behind_program(console.pool, one.who)
        elif one.who in console.manifests:
            types = {event for item in console.manifests[one.who].items for event in item.events}
            count = await late_matters.resting_on(console.pool, one.who, sorted(types))
        else:
            continue
        seen.add(one.who)
        found.append(
            {**told(console, one, taken), "count": count, "is_program": one.who in programs}
        )
    return found


@router.get("/open")
async def listing(
    request: Request,
    console: Here,
    visitor: Signed,
    owner: str = "",
    clock: str = "",
    everything: str = "",
) -> Response:
    """Groups by owner and clock, the late matters one by one, and who is affected."""
    visitor.need(Permission.VIEW)
    now = console.now()
    groups = await late_matters.groups(console.pool, now)
    rows = await late_matters.late(
        console.pool, now, owner=owner, band=clock if clock in CLOCKS else "",
        all_open=bool(everything),
    )  # fmt: skip
    return page(
        request,
        "open.html",
        visitor=visitor,
        groups=groups,
        rows=rows,
        affected=await affected(console),
        owner=owner,
        clock=clock,
        everything=everything,
        clocks=CLOCKS,
        late=sum(one["late"] for one in groups),
        open_=sum(one["open"] for one in groups),
        owner_name=lambda name: LEVELS.get(name) or console.names.program(name),
        at=now,
    )
