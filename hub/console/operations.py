"""Operations: what one person asked for, who else agreed, how far it is; pause, stop, go on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console.contexts import Console, Here
from hub.console.desks import reason_problem
from hub.console.languages import mark
from hub.console.permissions import Permission
from hub.console.runs import start
from hub.console.screens import page
from hub.console.states import Shape
from hub.console.visitors import Checked, Signed, Visitor
from hub.kernel.errors import HubError
from hub.store import operations
from hub.store.connections import close, connect

router = APIRouter(include_in_schema=False)
STATES: dict[str, Shape] = {
    "asked": ("warn", mark("waits for a second person")),
    "refused": ("none", mark("refused by a second person")),
    "ready": ("good", mark("approved")),
    "running": ("good", mark("running")),
    "paused": ("warn", mark("paused")),
    "stopped": ("none", mark("stopped for good")),
    "done": ("good", mark("done")),
}
KINDS = {"redrive": mark("Redrive"), "replay": mark("Replay")}
_ITEMS = 200


@router.get("/operations")
async def listing(
    request: Request, console: Here, visitor: Signed, everything: str = ""
) -> Response:
    """Operations that are not ended, or all."""
    visitor.need(Permission.VIEW)
    rows = await operations.listed(console.pool, everything=bool(everything))
    return page(
        request, "operations.html", visitor=visitor, rows=rows, states=STATES, kinds=KINDS,
        everything=everything, at=console.now(),
    )  # fmt: skip


@router.get("/operations/{name}")
async def one(name: str, request: Request, console: Here, visitor: Signed) -> Response:
    """One operation with its records; while it runs, the page follows it."""
    visitor.need(Permission.VIEW)
    return await _one(request, console, visitor, name)


async def _one(
    request: Request, console: Console, visitor: Visitor, name: str, problem: str = ""
) -> Response:
    try:
        found = await operations.found(console.pool, name)
    except HubError:
        text = mark("There is no such operation.")
        return page(request, "problem.html", visitor=visitor, status=404, text=text)
    items = await operations.items(console.pool, found.id, limit=_ITEMS)
    template = "operation_main.html" if request.headers.get("hx-request") else "operation.html"
    return page(
        request, template, visitor=visitor, one=found, items=items, states=STATES, kinds=KINDS,
        problem=problem, at=console.now(),
    )  # fmt: skip


@router.post("/operations/{name}/judge")
async def judge(
    name: str,
    request: Request,
    console: Here,
    visitor: Checked,
    verdict: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Approve or refuse what somebody else asked for; an approved one begins at once."""
    visitor.need(Permission.APPROVE)
    problem = reason_problem(reason)
    if problem:
        return await _one(request, console, visitor, name, problem)
    found = await operations.found(console.pool, name)
    connection = await connect(console.database)
    try:
        await operations.judge(
            connection, found, visitor.account.id, approved=verdict == "approve", reason=reason,
            now=console.now(),
        )  # fmt: skip
    except HubError as error:
        return await _one(request, console, visitor, name, error.message_zh)
    finally:
        await close(connection)
    if found.state == operations.READY:
        start(console, found.id, visitor.account.id)
    return RedirectResponse(f"/operations/{found.id}", 303)


@router.post("/operations/{name}/turn")
async def turn(
    name: str,
    request: Request,
    console: Here,
    visitor: Checked,
    state: Annotated[str, Form()],
) -> Response:
    """Go on, pause or stop."""
    visitor.need(Permission.REDRIVE)
    found = await operations.found(console.pool, name)
    if state == "run":
        start(console, found.id, visitor.account.id)
        return RedirectResponse(f"/operations/{found.id}", 303)
    connection = await connect(console.database)
    try:
        if state in {operations.PAUSED, operations.STOPPED}:
            person = visitor.account.id
            await operations.turn(connection, found, state, person, now=console.now())
    except HubError as error:
        return await _one(request, console, visitor, name, error.message_zh)
    finally:
        await close(connection)
    return RedirectResponse(f"/operations/{found.id}", 303)
