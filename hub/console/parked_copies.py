"""Parked copies: what a receiver refused or could not take for a day; retry or give up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console.contexts import Here
from hub.console.desks import reason_problem
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.visitors import Checked, Signed
from hub.store import parked, soundings
from hub.store.connections import close, connect

router = APIRouter(include_in_schema=False)


@router.get("/parked")
async def listing(
    request: Request, console: Here, visitor: Signed, program: str = "", problem: str = ""
) -> Response:
    """What waits, is retried and is parked, by program; held persons with their age."""
    visitor.need(Permission.VIEW)
    return page(
        request,
        "parked.html",
        visitor=visitor,
        rows=await parked.listed(console.pool, subscription=program or None),
        waiting=await soundings.retrying(console.pool, console.now()),
        held=await soundings.held_persons(console.pool),
        program=program,
        names=console.names,
        problem=problem,
        at=console.now(),
    )


@router.post("/parked")
async def act(
    request: Request,
    console: Here,
    visitor: Checked,
    program: Annotated[str, Form()],
    act: Annotated[str, Form()],
    seq: Annotated[int, Form()] = 0,
    generation: Annotated[int, Form()] = 1,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Retry one or all of a program, or give one up; on record with the reason."""
    visitor.need(Permission.REDRIVE)
    problem = reason_problem(reason)
    if problem:
        return await listing(request, console, visitor, program, problem)
    connection = await connect(console.database)
    person, now = visitor.account.id, console.now()
    try:
        if act == "retry":
            await parked.retry(
                connection, program, seq or None, generation, person=person, reason=reason, now=now
            )
        elif act == "give_up" and seq:
            await parked.give_up(
                connection, program, seq, generation, person=person, reason=reason, now=now
            )
    finally:
        await close(connection)
    return RedirectResponse(f"/parked?program={program}", 303)
