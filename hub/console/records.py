"""Records: one record of a topic with headers, attributes and schema; its bytes with a reason."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from hub.console import acts
from hub.console.contexts import Console, Here
from hub.console.desks import reason_problem
from hub.console.languages import mark
from hub.console.letters import dump
from hub.console.messages import message
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.topics import declared_topic
from hub.console.visitors import Checked, Signed, Visitor
from hub.runtime.originals import log

router = APIRouter(include_in_schema=False)


@router.get("/topics/{name}/{part}/{off}")
async def one(
    name: str, part: int, off: int, request: Request, console: Here, visitor: Signed
) -> Response:
    """A record, masked; that it was read is on record."""
    visitor.need(Permission.MESSAGE)
    return await _one(request, console, visitor, (name, part, off))


@router.post("/topics/{name}/{part}/{off}/reveal")
async def reveal(
    name: str,
    part: int,
    off: int,
    request: Request,
    console: Here,
    visitor: Checked,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """The bytes as they came, with a reason that is kept on record before they are shown."""
    visitor.need(Permission.MESSAGE)
    visitor.need(Permission.REVEAL)
    place = (name, part, off)
    problem = reason_problem(reason)
    if problem:
        return await _one(request, console, visitor, place, problem=problem)
    return await _one(request, console, visitor, place, reason=reason.strip())


async def _one(
    request: Request,
    console: Console,
    visitor: Visitor,
    place: tuple[str, int, int],
    *,
    problem: str = "",
    reason: str = "",
) -> Response:
    record = await _read(console, place)
    if record is None:
        text = mark("There is no such record, or it is not kept any more.")
        return page(request, "problem.html", visitor=visitor, status=404, text=text)
    shown = message(place[0], record)
    await acts.by(
        console.pool, visitor, "message.revealed" if reason else "message.read",
        now=console.now(), target="/".join(map(str, place)), reason=reason,
        event_id=shown.ids.get("event_id"), correlation=shown.ids.get("correlation_id"),
    )  # fmt: skip
    return page(
        request,
        "record.html",
        visitor=visitor,
        one=shown,
        topic=declared_topic(place[0]),
        raw=dump(record.value or b"") if reason else "",
        problem=problem,
        names=console.names,
        at=console.now(),
    )


async def _read(console: Console, place: tuple[str, int, int]) -> Any | None:
    name, part, off = place
    if declared_topic(name) is None or min(part, off) < 0 or max(part, off) >= 2**62:
        return None
    async with log(console.kafka) as reader:
        return await reader.at(console.settings.wire(name), part, off)
