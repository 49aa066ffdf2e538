"""Own pages: what a department sees of itself and a program of itself, and nothing else."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.departments import one_view as of_department
from hub.console.languages import mark
from hub.console.latest import clock, is_stale
from hub.console.permissions import Permission
from hub.console.receivers import one_view as of_program
from hub.console.reject_boards import board, please_fix
from hub.console.screens import page
from hub.console.visitors import RefusedError, Signed, Visitor
from hub.contracts.catalogues import catalogue
from hub.monitoring.pictures import Picture
from hub.store import own_facts, soundings
from hub.tracking import labels

router = APIRouter(include_in_schema=False)
DAYS = 10


@router.get("/own")
async def own(request: Request, console: Here, visitor: Signed) -> Response:
    """The page of the account's own department or program."""
    visitor.need(Permission.OWN)
    role, scope = visitor.account.role, visitor.account.scope or ""
    picture = console.pictures.last
    if not scope:
        text = mark("This account names no department or program; ask the administrator.")
        return page(request, "problem.html", visitor=visitor, status=403, text=text)
    if picture is None:
        return page(request, "no_picture.html", visitor=visitor, status=503)
    view = _department if role == "department" else _program
    return page(
        request,
        f"own_{role}.html",
        visitor=visitor,
        picture=picture,
        as_of=clock(picture),
        stale=is_stale(picture, console.now()),
        own=True,
        **await view(console, picture, scope),
    )


async def _department(console: Console, picture: Picture, name: str) -> dict[str, Any]:
    now = console.now()
    since = now - DAYS * 86_400_000
    pool, programs = console.pool, set(catalogue().grants)
    outcomes = await console.counts.of(
        ("outcomes", name), lambda: own_facts.outcomes(pool, name, since, programs)
    )
    denials = await console.counts.of(
        ("denials", name), lambda: own_facts.denials(pool, name, since)
    )
    return {
        **await of_department(console, picture, {"connector": name}),
        "board": await board(console, name),
        "outcomes": outcomes.value,
        "denials": denials.value,
        "counted": min(outcomes.at, denials.at),
        "looked_at": own_facts.LOOKED_AT,
        "event_name": console.names.event,
        "reasons": labels.DENIALS,
        "dispositions": labels.DISPOSITIONS,
        "at": now,
    }


async def _program(console: Console, picture: Picture, name: str) -> dict[str, Any]:
    return {
        **await of_program(console, picture, {"program": name}),
        "gaps": await own_facts.gaps(console.pool, name),
        "waiting": [
            one
            for one in await soundings.retrying(console.pool, console.now())
            if one["subscription"] == name
        ],
    }


@router.get("/own/rejects.xlsx")
async def rejects(console: Here, visitor: Signed) -> Response:
    """The records that the account's own department is asked to correct."""
    return await please_fix(console, visitor, _scope(visitor, "department"))


def _scope(visitor: Visitor, role: str) -> str:
    visitor.need(Permission.OWN)
    if visitor.account.role != role or not visitor.account.scope:
        raise RefusedError(Permission.OWN)
    return visitor.account.scope
