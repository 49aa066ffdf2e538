"""Receivers: the list of programs, and one program's page: backlog, gaps, parked copies."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.histories import recent
from hub.console.live_pages import register, show
from hub.console.lives import LivePage, Query, Values
from hub.console.maps import hands, told
from hub.console.maps import program as line
from hub.console.permissions import Permission
from hub.console.visitors import Signed
from hub.contracts.catalogues import catalogue
from hub.monitoring.findings import about, findings
from hub.monitoring.pictures import Picture
from hub.store import incidents, soundings

router = APIRouter(include_in_schema=False)


async def _list(console: Console, picture: Picture, query: Query) -> Values:
    del query
    keys = [f"before/{one.program}" for one in picture.programs]
    return {
        "programs": [line(console, one, picture.at) for one in picture.programs],
        "sparks": await recent(console, keys, picture.at),
    }


LIST = register(
    LivePage("programs", Permission.VIEW, "programs.html", {"programs": "program_list.html"}, _list)
)


@router.get("/programs")
async def listing(request: Request, console: Here, visitor: Signed) -> Response:
    """All programs."""
    return await show(request, console, visitor, LIST)


async def one_view(console: Console, picture: Picture, query: Query) -> Values:
    """What a program's page shows; the page a program sees of itself shows the same."""
    name = query["program"]
    found = next((one for one in picture.programs if one.program == name), None)
    grant = catalogue().grants.get(name)
    if found is None:
        return {"program": None, "name": name}
    taken = await hands(console)
    return {
        "program": line(console, found, picture.at),
        "name": name,
        "granted": [
            console.names.field(f"{one.group}.{one.field}")
            for one in (grant.fields if grant else ())
        ],
        "findings": [
            told(console, one, taken) for one in about(findings(picture), name, receives=True)
        ],
        "spark": (await recent(console, [f"before/{name}"], picture.at))[f"before/{name}"],
        "parked": await soundings.parked(console.pool, name),
        "answers": await soundings.answers(console.pool, name),
        "contact": (await incidents.contacts(console.pool)).get(name),
        "event_name": console.names.event,
        "numberings": await soundings.numberings(console.pool, name),
    }


ONE = register(
    LivePage("program", Permission.VIEW, "program.html", {"program": "program_main.html"}, one_view)
)


@router.get("/programs/{name}")
async def one(name: str, request: Request, console: Here, visitor: Signed) -> Response:
    """One program."""
    return await show(request, console, visitor, ONE, program=name)
