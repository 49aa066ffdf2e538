"""Maintenances: windows in which a department's silence is planned; the sampler leaves them out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import acts
from hub.console.contexts import Here
from hub.console.days import instant_of
from hub.console.incidents import text_problem
from hub.console.languages import mark
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.visitors import Checked
from hub.store import maintenances

router = APIRouter(include_in_schema=False)
LONGEST_MS = 31 * 86_400_000


@router.post("/maintenance")
async def plan(
    request: Request,
    console: Here,
    visitor: Checked,
    department: Annotated[str, Form()] = "",
    since: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Plan a window of a department."""
    visitor.need(Permission.OPERATE)
    start, end, now = instant_of(since), instant_of(until), console.now()
    problem = text_problem(note)
    if department not in console.manifests:
        problem = mark("There is no such office.")
    elif start is None or end is None or not start < end or end <= now:
        problem = mark("A window begins before it ends, and ends in the future.")
    elif end - start > LONGEST_MS:
        problem = mark("A window lasts a month at most; a longer silence is an incident.")
    if problem or start is None or end is None:
        return page(request, "problem.html", visitor=visitor, status=400, text=problem)
    async with console.transaction() as db:
        name = await maintenances.add(
            db, department, (start, end), note.strip(), by=visitor.account.id, now=now
        )
        await acts.by(
            db, visitor, "maintenance_planned", now=now, target=department, reason=note,
            window=name, since=start, until=end,
        )  # fmt: skip
    return RedirectResponse(f"/connectors/{department}", 303)


@router.post("/maintenance/{name}/delete")
async def drop(
    name: int,
    console: Here,
    visitor: Checked,
    department: Annotated[str, Form()] = "",
) -> Response:
    """Take a window back."""
    visitor.need(Permission.OPERATE)
    now = console.now()
    async with console.transaction() as db:
        if await maintenances.drop(db, name, department):
            await acts.by(
                db, visitor, "maintenance_dropped", now=now, target=department, window=name
            )
    known = department in console.manifests
    return RedirectResponse(f"/connectors/{department}" if known else "/connectors", 303)
