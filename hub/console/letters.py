"""Letters: dead letters in groups and one by one, masked; redriving them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import acts
from hub.console.contexts import Console, Here
from hub.console.desks import Desk, desk, reason_problem, wired
from hub.console.languages import mark
from hub.console.permissions import Permission
from hub.console.runs import start
from hub.console.screens import page
from hub.console.visitors import Checked, Signed, Visitor
from hub.contracts.catalogues import catalogue
from hub.deadletters.views import view
from hub.kernel.errors import DataError
from hub.kernel.reasons import CODES
from hub.runtime.edits import Editor
from hub.runtime.originals import original
from hub.runtime.redrives import RATE, Redriver
from hub.store import dead_letter_index, operations
from hub.store.dead_letter_index import Filter, Letter
from hub.store.dead_letters import STATES

router = APIRouter(include_in_schema=False)
SHOWN = 100
_FILTERS = ("state", "code", "source", "type", "matter")


def wanted_of(query: Any) -> tuple[Filter, dict[str, str]]:
    """The filter that an address or a form asks for, and its parts as text."""
    parts = {name: str(query.get(name, "")) for name in _FILTERS}
    parts["state"] = parts["state"] or "open"
    state = parts["state"] if parts["state"] in STATES else None
    wanted = Filter(
        state=state,
        code=parts["code"] or None,
        source=parts["source"] or None,
        type=parts["type"] or None,
        matter=parts["matter"] or None,
    )
    return wanted, parts


@router.get("/letters")
async def listing(request: Request, console: Here, visitor: Signed) -> Response:
    """Groups by code, department and schema, and the newest of the chosen ones."""
    visitor.need(Permission.VIEW)
    wanted, parts = wanted_of(request.query_params)
    return await _listing(request, console, visitor, wanted, parts)


async def _listing(
    request: Request,
    console: Console,
    visitor: Visitor,
    wanted: Filter,
    parts: dict[str, str],
    problem: str = "",
) -> Response:
    groups = await dead_letter_index.groups(console.pool, wanted)
    rows = await dead_letter_index.find(console.pool, wanted, limit=SHOWN)
    return page(
        request,
        "letters.html",
        visitor=visitor,
        groups=groups,
        rows=rows,
        parts=parts,
        states=STATES,
        codes=sorted(CODES),
        sources=sorted(console.manifests),
        files=catalogue().files_by_id,
        names=console.names,
        total=sum(one.count for one in groups),
        at=console.now(),
        problem=problem,
    )


@router.get("/letters/{name}")
async def one(name: str, request: Request, console: Here, visitor: Signed) -> Response:
    """One dead letter; its content, masked, for those who may see messages."""
    visitor.need(Permission.VIEW)
    return await _one(request, console, visitor, name)


async def _one(
    request: Request, console: Console, visitor: Visitor, name: str, **values: Any
) -> Response:
    found = await dead_letter_index.by_ids(console.pool, [name])
    if not found:
        return page(
            request, "problem.html", visitor=visitor, status=404, text=mark("No such dead letter.")
        )
    letter, content, place = found[0], None, ""
    if visitor.may(Permission.MESSAGE):
        async with desk(console) as at:
            bytes_ = await original(at.connection, at.log, at.settings, letter)
        content, place = (view(bytes_.value), bytes_.place) if bytes_ else (None, "")
    given: dict[str, Any] = {"raw": "", "problem": "", "changed": None, "edit": ""} | values
    return page(
        request,
        "letter.html",
        visitor=visitor,
        one=letter,
        content=msgspec.json.format(msgspec.json.encode(content["fields"]), indent=2).decode()
        if content
        else "",
        lies_at=place,
        names=console.names,
        at=console.now(),
        **given,
    )


@router.post("/letters/{name}/reveal")
async def reveal(
    name: str,
    request: Request,
    console: Here,
    visitor: Checked,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """The bytes as they came, with a reason that is kept on record."""
    visitor.need(Permission.REVEAL)
    problem = reason_problem(reason)
    letters = await dead_letter_index.by_ids(console.pool, [name])
    if problem or not letters:
        return await _one(request, console, visitor, name, problem=problem)
    async with desk(console) as at:
        bytes_ = await original(at.connection, at.log, at.settings, letters[0])
    await acts.by(
        console.pool, visitor, "dead_letter.revealed", now=console.now(), reason=reason,
        target=name, event_id=letters[0].event_id,
    )  # fmt: skip
    return await _one(request, console, visitor, name, raw=dump(bytes_.value if bytes_ else b""))


def dump(value: bytes) -> str:
    """Bytes as people read them: sixteen a line, in hexadecimal and as text."""
    lines = []
    for start_ in range(0, min(len(value), 16_384), 16):
        part = value[start_ : start_ + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
        lines.append(f"{start_:06x}  {part.hex(' '):<47}  {text}")
    return "\n".join(lines)


@router.post("/letters/redrive")
async def redrive(request: Request, console: Here, visitor: Checked) -> Response:
    """The dry run, or with ``apply`` the request: of one letter, of those ticked, or of all."""
    visitor.need(Permission.REDRIVE)
    form = await request.form()
    ids = [str(one) for one in form.getlist("id")]
    wanted, parts = wanted_of(form)
    reason, apply = str(form.get("reason", "")), bool(form.get("apply"))
    problem = reason_problem(reason) if apply else ""
    async with desk(console) as at:
        redriver = Redriver(at.connection, at.log, at.settings, console.now)
        plan = await redriver.plan(await redriver.chosen(wanted, ids))
        if apply and not problem and plan.sent:
            operation = await redriver.ask(
                plan, person=visitor.account.id, reason=reason, rate=_rate(form.get("rate")),
                spec={"ids": len(ids)} if ids else {k: v for k, v in parts.items() if v},
            )  # fmt: skip
            if operation.state == operations.READY:
                start(console, operation.id, visitor.account.id)
            return RedirectResponse(f"/operations/{operation.id}", 303)
    return page(
        request, "redrive.html", visitor=visitor, plan=plan, ids=ids, parts=parts,
        names=console.names, problem=problem, reason=reason, rate=RATE,
    )  # fmt: skip


def _rate(given: object) -> int:
    text = str(given or RATE)
    return min(5000, max(1, int(text))) if text.isdigit() else RATE


@router.post("/letters/{name}/edit")
async def edit(
    name: str,
    request: Request,
    console: Here,
    visitor: Checked,
    value: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    apply: Annotated[str, Form()] = "",
) -> Response:
    """Check a changed value; with ``apply`` ask for it to be sent, which a second person judges."""
    visitor.need(Permission.REDRIVE)
    visitor.need(Permission.REVEAL)
    letters = await dead_letter_index.by_ids(console.pool, [name])
    if not letters:
        return await _one(request, console, visitor, name)
    problem = reason_problem(reason) if apply else ""
    async with desk(console) as at:
        try:
            request_it = bool(apply) and not problem
            changed, operation = await _edited(
                at, console, visitor, letters[0], value, reason, apply=request_it
            )
        except DataError as error:
            text = f"{error.code} {error.field}"
            return await _one(request, console, visitor, name, edit=value, problem=text)
    if operation:
        return RedirectResponse(f"/operations/{operation}", 303)
    return await _one(request, console, visitor, name, edit=value, changed=changed, problem=problem)


async def _edited(
    at: Desk,
    console: Console,
    visitor: Visitor,
    letter: Letter,
    value: str,
    reason: str,
    *,
    apply: bool,
) -> tuple[list[str], str]:
    """The names of changed fields, and the operation that was asked for."""
    redriver = Redriver(at.connection, at.log, at.settings, console.now)
    editor = Editor(wired(at.settings), at.settings)
    if not apply:
        before = await redriver.content(letter)
        change = editor.checked(letter, before.value if before else b"", value.encode())
        return list(change.fields), ""
    plan = await redriver.plan([letter])
    operation = await redriver.ask(
        plan, person=visitor.account.id, reason=reason, edited=value.encode(), editor=editor
    )
    return [], operation.id
