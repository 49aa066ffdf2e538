"""Maps: the start page. What is wrong, and department → intake → decide → deliver → program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from hub.monitoring.findings import SEVERITIES, Finding, about, findings, words
from hub.monitoring.pictures import Connector, Picture, Program
from hub.monitoring.spans import span
from hub.store import incidents
from hub.store.incidents import Taken

router = APIRouter(include_in_schema=False)

_STAGES = (
    (mark("Intake"), "hub.intake", "received", "received"),
    (mark("Decide"), "hub.decide", "decided", "committed"),
)


Hands = Mapping[str | None, Taken]
"""Key of a finding → the incident that somebody has in hand."""


async def hands(console: Console) -> Hands:
    """Who has which finding in hand."""
    return {one.finding: one for one in await incidents.taken(console.pool)}


def told(console: Console, finding: Finding, taken: Hands) -> dict[str, Any]:
    """A finding with its sentence, usual cause and first step as labels, and who has it."""
    near = words(finding)
    spans = (span(finding.ms, "zh"), span(finding.ms, "en"))
    return {
        "it": finding,
        "taken": taken.get(finding.key),
        "sentence": console.names.sentence(finding, spans),
        "cause": (near.cause_zh, near.cause_en),
        "next": (near.next_zh, near.next_en),
    }


def worst(found: Iterable[Finding], who: str, *, receives: bool) -> str:
    """Severity of the worst finding about somebody as a department or as a program; or empty."""
    severities = (one.severity for one in about(found, who, receives=receives))
    return max(severities, key=_rank, default="")


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity)


def connector(console: Console, one: Connector, severity: str = "") -> dict[str, Any]:
    """A department on the map; its colour is that of the worst finding about it."""
    return {
        "severity": severity,
        "it": one,
        "name": console.names.department(one.connector),
        "status": CONNECTOR[one.state],
        "rate": sum(item.rate for item in one.items),
        "silent": max((i.silent or 0 for i in one.items if i.is_silent), default=None),
    }


def program(console: Console, one: Program, now: int, severity: str = "") -> dict[str, Any]:
    """A program on the map."""
    return {
        "severity": severity,
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
            "hop": picture.hops.get(hop),
            "status": PARTITION[groups[group].status if group in groups else "NOTFOUND"],
        }
        for name, group, stage, hop in _STAGES
    ]
    before = sum(one.queued + one.waiting + one.unfetched for one in picture.programs)
    taken = await hands(console)
    slowest = max((one.status for one in picture.programs), key=list(PROGRAM).index, default="good")
    found = findings(picture)
    rejects = [one for one in found if one.kind.startswith("rejects")]
    return {
        "findings": [told(console, one, taken) for one in found],
        "connectors": [
            connector(console, one, worst(found, one.connector, receives=False))
            for one in picture.connectors
        ],
        "stages": stages,
        "programs": [
            program(console, one, picture.at, worst(found, one.program, receives=True))
            for one in picture.programs
        ],
        "delivered": picture.stages.get("delivered", 0.0),
        "before": before,
        "delivery": PROGRAM[slowest],
        "hops": picture.hops,
        "letters": sum(one.count for one in picture.letters),
        "letters_shape": max((one.severity for one in rejects), key=_rank, default="none"),
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
