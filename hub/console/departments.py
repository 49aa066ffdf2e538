"""Departments: cards of connectors, one department's page, and what operators ask of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import acts
from hub.console.contexts import Console, Here
from hub.console.histories import recent
from hub.console.languages import mark
from hub.console.live_pages import register, show
from hub.console.lives import LivePage, Query, Values
from hub.console.maps import connector as card
from hub.console.maps import hands, told
from hub.console.permissions import Permission
from hub.console.visitors import Checked, Signed
from hub.monitoring.findings import about, findings
from hub.monitoring.pictures import Picture
from hub.store import heartbeats, incidents, maintenances

router = APIRouter(include_in_schema=False)
COMMANDS = {
    "pause": mark("Pause"),
    "resume": mark("Resume"),
    "restart": mark("Restart"),
    "run": mark("Run now"),
}


async def _cards(console: Console, picture: Picture, query: Query) -> Values:
    state = query.get("state", "")
    return {
        "cards": [
            card(console, one)
            for one in picture.connectors
            if not state or one.state == state or (state == "silent" and one.late)
        ],
        "state": state,
        "item_name": console.names.item,
    }


CARDS = register(
    LivePage(
        "connectors", Permission.VIEW, "connectors.html", {"cards": "connector_cards.html"}, _cards
    )
)


@router.get("/connectors")
async def cards(request: Request, console: Here, visitor: Signed) -> Response:
    """The cards of all departments."""
    return await show(request, console, visitor, CARDS)


async def one_view(console: Console, picture: Picture, query: Query) -> Values:
    """What a department's page shows; the page a department sees of itself shows the same."""
    name = query["connector"]
    found = next((one for one in picture.connectors if one.connector == name), None)
    if found is None:
        return {"card": None, "name": name}
    keys = [f"rate/{item.topic}" for item in found.items]
    taken = await hands(console)
    return {
        "card": card(console, found),
        "name": name,
        "manifest": console.manifests[name],
        "item_name": console.names.item,
        "sparks": await recent(console, keys, picture.at),
        "letters": [one for one in picture.letters if one.source == name],
        "code_name": console.names.code,
        "findings": [
            told(console, one, taken) for one in about(findings(picture), name, receives=False)
        ],
        "asked": await heartbeats.asked(console.pool, name),
        "commands": COMMANDS,
        "taken": [one for one in await incidents.taken(console.pool) if one.who == name],
        "contact": (await incidents.contacts(console.pool)).get(name),
        "windows": await maintenances.listed(console.pool, name, picture.at),
        "quality": next((one for one in picture.quality if one.source == name), None),
    }


ONE = register(
    LivePage(
        "connector",
        Permission.VIEW,
        "connector.html",
        {"connector": "connector_main.html"},
        one_view,
    )
)


@router.get("/connectors/{name}")
async def one(name: str, request: Request, console: Here, visitor: Signed) -> Response:
    """One department."""
    return await show(request, console, visitor, ONE, connector=name)


@router.post("/connectors/{name}/{command}")
async def ask(
    name: str,
    command: str,
    console: Here,
    visitor: Checked,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Ask a connector to pause, resume, restart or run now; it obeys with its next heartbeat."""
    visitor.need(Permission.OPERATE)
    if name in console.manifests and command in COMMANDS:
        now = console.now()
        async with console.transaction() as db:
            await heartbeats.ask(db, name, command, by=visitor.account.id, now=now)
            await acts.by(db, visitor, f"connector_{command}", now=now, target=name, reason=reason)
    return RedirectResponse(f"/connectors/{name}", 303)
