"""Person searches: an ID number and a reason go to intake's side; ids of matters come back."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Form, Request, Response

from hub.console.contexts import Console, Here
from hub.console.desks import reason_problem
from hub.console.languages import mark
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.visitors import Checked, Signed, Visitor
from hub.kernel.reasons import CODES

router = APIRouter(include_in_schema=False)
_SECONDS = 10.0
_ANSWERS = {
    401: mark("The look-up refuses the console's key. Tell an administrator."),
    403: mark("The look-up refuses the console's key. Tell an administrator."),
    404: mark("The gateway named for look-ups does not serve them. Tell an administrator."),
    429: mark("Too many look-ups in a minute. Wait, then go on."),
}


class Answer:
    """What the look-up said: matters, or what is wrong as a text or a code with two texts."""

    def __init__(
        self,
        matters: list[dict[str, Any]] | None = None,
        problem: str = "",
        told: tuple[str, str] | None = None,
    ) -> None:
        self.matters, self.problem, self.told = matters, problem, told


@router.get("/people")
async def form(request: Request, console: Here, visitor: Signed) -> Response:
    """Where a number and a reason are asked for."""
    visitor.need(Permission.MESSAGE)
    return _page(request, console, visitor, Answer())


@router.post("/people")
async def search(
    request: Request,
    console: Here,
    visitor: Checked,
    number: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Matters of the person; the number stands in no address, log or page."""
    visitor.need(Permission.MESSAGE)
    problem = reason_problem(reason)
    if problem:
        return _page(request, console, visitor, Answer(problem=problem))
    answer = await _asked(console, visitor, number, reason.strip())
    return _page(request, console, visitor, answer)


async def _asked(console: Console, visitor: Visitor, number: str, reason: str) -> Answer:
    settings = console.settings
    body = {"id_number": number, "actor": visitor.account.id, "reason": reason}
    headers = {"Authorization": f"Bearer {settings.console_lookup_key}"}
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            answer = await client.post(
                f"{settings.console_lookup}/lookups/person", json=body, headers=headers
            )
    except (httpx.HTTPError, httpx.InvalidURL):
        return Answer(problem=mark("The look-up on intake's side does not answer."))
    if answer.status_code == 200:
        return Answer(answer.json()["matters"])
    if answer.status_code == 422:
        code = CODES.get(answer.json().get("code", ""))
        if code:
            return Answer(told=(code.zh, code.en))
        return Answer(problem=mark("This is no resident ID number."))
    unknown = mark("The look-up on intake's side does not answer.")
    return Answer(problem=_ANSWERS.get(answer.status_code, unknown))


def _page(request: Request, console: Console, visitor: Visitor, answer: Answer) -> Response:
    return page(
        request,
        "people.html",
        visitor=visitor,
        answer=answer,
        ready=bool(console.settings.console_lookup),
        names=console.names,
        at=console.now(),
    )
