"""Maps: the start page. What is wrong, and department → intake → decide → deliver → program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.console.contexts import Console, Here
from hub.console.languages import mark
from hub.console.live_pages import register, show
from hub.console.lives import LivePage, Query, Values
from hub.console.permissions import Permission
from hub.console.states import CONNECTOR, PARTITION, PROGRAM
from hub.console.visitors import Signed
from hub.monitoring.findings import Finding, findings, kinds
from hub.monitoring.pictures import Connector, Picture, Program
from hub.monitoring.spans import span
from hub.store import incidents
from hub.store.incidents import Taken

router = APIRouter(include_in_schema=False)

_STAGES = (
    (mark("Intake"), "hub.intake", "received"),
    (mark("Decide"), "hub.decide", "decided"),
)


Hands = Mapping[str | None, Taken]
"""Key of a finding → the incident that somebody has in hand."""


async def hands(console: Console) -> Hands:
    """Who has which finding in hand."""
    return {one.finding: one for one in await incidents.taken(console.pool)}


def told(console: Console, finding: Finding, taken: Hands) -> dict[str, Any]:
    """A finding with its sentence, usual cause and first step as labels, and who has it."""
    kind = kinds()[finding.kind]
    spans = (span(finding.ms, "zh"), span(finding.ms, "en"))
    return {
        "it": finding,
        "taken": taken.get(finding.key),
        "sentence": console.names.sentence(finding, spans),
        "cause": (kind.cause_zh, kind.cause_en),
        "next": (kind.next_zh, kind.next_en),
    }


def connector(console: Console, one: Connector) -> dict[str, Any]:
    """A department on the map."""
    return {
        "it": one,
        "name": console.names.department(one.connector),
        "status": CONNECTOR[one.state],
        "rate": sum(item.rate for item in one.items),
        "silent": max((i.silent or 0 for i in one.items if i.is_silent), default=None),
    }


def program(console: Console, one: Program, now: int) -> dict[str, Any]:
    """A program on the map."""
    return {
        "it": one,
        "name": console.names.program(one.program),
        "status": PROGRAM[one.status],
        "before": one.queued + one.waiting + one.unfetched,
        "age": None if one.oldest is None else now - one.oldest,
    }


async def _view(console: Console, picture: Picture, query: Query) -> Values:
    del query
    groups = {one.group: one for one in picture.groups}
    stages = [
        {
            "name": name,
            "group": groups.get(group),
            "id": group,
            "rate": picture.stages.get(stage, 0.0),
            "status": PARTITION[groups[group].status if group in groups else "NOTFOUND"],
        }
        for name, group, stage in _STAGES
    ]
    before = sum(one.queued + one.waiting + one.unfetched for one in picture.programs)
    taken = await hands(console)
    worst = max((one.status for one in picture.programs), key=list(PROGRAM).index, default="good")
    return {
        "findings": [told(console, one, taken) for one in findings(picture)],
        "connectors": [connector(console, one) for one in picture.connectors],
        "stages": stages,
        "programs": [program(console, one, picture.at) for one in picture.programs],
        "delivered": picture.stages.get("delivered", 0.0),
        "before": before,
        "delivery": PROGRAM[worst],
        "hops": picture.hops,
        "letters": sum(one.count for one in picture.letters),
    }


MAP = register(
    LivePage(
        "map",
        Permission.VIEW,
        "map.html",
        {"findings": "map_findings.html", "flow": "map_flow.html"},
        _view,
    )
)


@router.get("/")
async def start(request: Request, console: Here, visitor: Signed) -> Response:
    """The pipeline map; somebody with pages of their own only is led there."""
    if Permission.VIEW not in visitor.permissions:
        return RedirectResponse("/own", 303)
    return await show(request, console, visitor, MAP)
