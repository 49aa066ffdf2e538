"""Offset pages: hold, dry run, move, let go; nothing is lost by it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console.contexts import Console, Here
from hub.console.desks import desk, reason_problem, wired
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.sheets import sheet
from hub.console.visitors import Checked, Signed, Visitor
from hub.kernel.errors import HubError
from hub.runtime.offset_moves import Move, OffsetMoves
from hub.runtime.offset_targets import from_csv
from hub.store import audit, holds
from hub.store.holds import Hold

router = APIRouter(include_in_schema=False)
ROWS = 100
"""Claims on one sheet."""


@router.get("/offsets")
async def listing(
    request: Request, console: Here, visitor: Signed, topic: str = "", page: str = ""
) -> Response:
    """Claims by topic; held ones first."""
    visitor.need(Permission.VIEW)
    return await _page(request, console, visitor, topic, page=page)


async def _page(
    request: Request, console: Console, visitor: Visitor, topic: str, **values: Any
) -> Response:
    async with console.transaction() as connection:
        claims = await holds.listed(connection, console.settings.wire(topic) if topic else None)
    claims.sort(key=lambda one: (one.held_by is None, one.topic, one.part))
    given: dict[str, Any] = {"plans": [], "problem": "", "to": "", "reason": ""} | values
    number = str(given.pop("page", ""))
    return page(
        request,
        "offsets.html",
        visitor=visitor,
        sheet=sheet([(console.settings.plain(one.topic), one) for one in claims], number, ROWS),
        topics=sorted({console.settings.plain(one.topic) for one in claims}),
        topic=topic,
        names=console.names,
        at=console.now(),
        **given,
    )


def _chosen(claims: list[Hold], places: list[str], console: Console) -> list[Hold]:
    wanted = set(places)
    return [one for one in claims if f"{console.settings.plain(one.topic)}/{one.part}" in wanted]


@router.post("/offsets/hold")
async def hold(
    request: Request,
    console: Here,
    visitor: Checked,
    place: Annotated[list[str] | None, Form()] = None,
    act: Annotated[str, Form()] = "hold",
    topic: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Hold partitions, so that their workers let go, or release them."""
    visitor.need(Permission.OPERATE)
    problem = reason_problem(reason)
    if problem:
        return await _page(request, console, visitor, topic, problem=problem)
    async with console.transaction() as db:
        claims = _chosen(await holds.listed(db), place or [], console)
        places = [one.place for one in claims]
        now, person = console.now(), visitor.account.id
        if act == "hold":
            found = await holds.hold(db, places, person=person, now=now)
        else:
            found = await holds.release(db, places)
        doc = {"partitions": [f"{one.topic}/{one.part}" for one in found], "reason": reason}
        kind = "offsets.held" if act == "hold" else "offsets.released"
        await audit.act(db, kind, person, doc, now=now)
    return RedirectResponse(f"/offsets?topic={topic}", 303)


@router.post("/offsets/move")
async def move(
    request: Request,
    console: Here,
    visitor: Checked,
    place: Annotated[list[str] | None, Form()] = None,
    to: Annotated[str, Form()] = "",
    csv: Annotated[str, Form()] = "",
    topic: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    apply: Annotated[str, Form()] = "",
) -> Response:
    """The dry run of a move, or the move itself of partitions that are held."""
    visitor.need(Permission.OPERATE)
    problem = reason_problem(reason) if apply else ""
    plans: list[Move] = []
    async with desk(console) as at:
        moves = OffsetMoves(at.connection, at.log, at.settings, wired(at.settings), console.now)
        try:
            claims = _chosen(await holds.listed(at.connection), place or [], console)
            for claim, word in _words(claims, to, csv, console):
                plans.append(await moves.plan(claim, word))
            if apply and not problem:
                for plan in plans:
                    await moves.apply(plan, person=visitor.account.id, reason=reason)
                return RedirectResponse(f"/offsets?topic={topic}", 303)
        except HubError as error:
            problem = error.message_zh
    return await _page(
        request, console, visitor, topic, plans=plans, problem=problem, to=to, reason=reason
    )


def _words(claims: list[Hold], to: str, csv: str, console: Console) -> list[tuple[Hold, str]]:
    """Each claim with where it is to go: one word for all, or a line of CSV for each."""
    if not csv.strip():
        return [(claim, to.strip()) for claim in claims]
    words = from_csv(csv.splitlines())
    plain = console.settings.plain
    return [
        (claim, words[plain(claim.topic), claim.part])
        for claim in claims
        if (plain(claim.topic), claim.part) in words
    ]
