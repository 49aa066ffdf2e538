"""Incidents: a trouble somebody has in hand, what was done, and who is on duty where."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import acts
from hub.console.contexts import Console, Here
from hub.console.languages import mark
from hub.console.late_matters import affected
from hub.console.maps import hands, told
from hub.console.permissions import Permission, permitted
from hub.console.screens import page
from hub.console.visitors import Checked, Signed, Visitor
from hub.contracts.catalogues import catalogue
from hub.monitoring.findings import findings
from hub.store import accounts, incidents
from hub.store.incidents import Incident

router = APIRouter(include_in_schema=False)
STEPS: dict[str, str] = {
    "opened": mark("taken in hand"),
    "note": mark("note"),
    "handed": mark("handed over to"),
    "ticket_sent": mark("ticket sent"),
    "ticket_answered": mark("ticket answered"),
    "closed": mark("closed, cause"),
}
_LONG = re.compile(r"[0-9]{15}")
_MOST = 400


def text_problem(text: str) -> str:
    """What is wrong with a text that is kept; empty: nothing."""
    if len(text.strip()) < 2 or len(text) > _MOST:
        return mark("Write at least two characters and at most 400.")
    if _LONG.search(re.sub(r"[\s-]", "", text)):
        return mark("Write no ID number or other long number here: it is kept on record.")
    return ""


@router.get("/incidents")
async def listing(
    request: Request,
    console: Here,
    visitor: Signed,
    finding: str = "",
    everything: str = "",
) -> Response:
    """Incidents in hand, what nobody has in hand yet, and the contacts on duty."""
    visitor.need(Permission.VIEW)
    return await _listing(request, console, visitor, finding=finding, everything=everything)


async def _listing(
    request: Request,
    console: Console,
    visitor: Visitor,
    *,
    finding: str = "",
    everything: str = "",
    problem: str = "",
) -> Response:
    picture = console.pictures.last
    taken = await hands(console)
    troubles = [told(console, one, taken) for one in findings(picture)] if picture else []
    free = [one for one in troubles if not one["taken"]]
    return page(
        request,
        "incidents.html",
        visitor=visitor,
        status=400 if problem else 200,
        rows=await incidents.listed(console.pool, closed=bool(everything)),
        free=free,
        chosen=next((one for one in free if one["it"].key == finding), None),
        people=await _people(console),
        contacts=await incidents.contacts(console.pool),
        owners=_owners(console),
        who=console.names.who,
        everything=everything,
        problem=problem,
        at=console.now(),
    )


def _owners(console: Console) -> list[str]:
    return [*sorted(console.manifests), *sorted(catalogue().grants)]


async def _people(console: Console) -> dict[str, str]:
    """Accounts that may take an incident in hand: id → name."""
    return {
        one.id: one.name
        for one in await accounts.every(console.pool)
        if Permission.OPERATE in permitted(one.role, one.extra) and not one.disabled_at
    }


@router.post("/incidents")
async def take(
    request: Request,
    console: Here,
    visitor: Checked,
    title: Annotated[str, Form()] = "",
    who: Annotated[str, Form()] = "",
    finding: Annotated[str, Form()] = "",
) -> Response:
    """Take a finding in hand, or open an incident by hand."""
    visitor.need(Permission.OPERATE)
    picture = console.pictures.last
    found = next((f for f in findings(picture) if f.key == finding), None) if picture else None
    if finding and found is None:
        text = mark("This trouble is over: nothing was opened.")
        return await _listing(request, console, visitor, problem=text)
    if found is not None:
        who, title = found.who, told(console, found, {})["sentence"][0]
    problem = text_problem(title)
    if problem or (who and who not in _owners(console)):
        return await _listing(
            request, console, visitor, problem=problem or mark("There is no such office.")
        )
    now = console.now()
    async with console.transaction() as db:
        name, new = await incidents.open_one(
            db, finding=finding or None, who=who, title=title.strip(), by=visitor.account.id,
            now=now,
        )  # fmt: skip
        if new:
            await acts.by(
                db, visitor, "incident_opened", now=now, target=name, finding=finding, who=who
            )
    return RedirectResponse(f"/incidents/{name}", 303)


@router.post("/incidents/contact")
async def contact(
    request: Request,
    console: Here,
    visitor: Checked,
    who: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    phone: Annotated[str, Form()] = "",
    then: Annotated[str, Form()] = "",
) -> Response:
    """Note who is on duty at a department or program."""
    visitor.need(Permission.OPERATE)
    if who not in _owners(console):
        text = mark("There is no such office.")
        return await _listing(request, console, visitor, problem=text)
    if not name.strip() or not re.fullmatch(r"[0-9+() \-]{3,24}", phone.strip()):
        text = mark("A contact has a name and a telephone number.")
        return await _listing(request, console, visitor, problem=text)
    now = console.now()
    async with console.transaction() as db:
        await incidents.set_contact(
            db, who, name.strip()[:60], phone.strip(), by=visitor.account.id, now=now
        )
        await acts.by(db, visitor, "contact_changed", now=now, target=who)
    known = who in console.manifests and then == "connector"
    return RedirectResponse(f"/connectors/{who}" if known else "/incidents", 303)


@router.get("/incidents/{name}")
async def one(name: str, request: Request, console: Here, visitor: Signed) -> Response:
    """One incident with its history."""
    visitor.need(Permission.VIEW)
    return await _one(request, console, visitor, name)


async def _one(
    request: Request, console: Console, visitor: Visitor, name: str, problem: str = ""
) -> Response:
    found = await incidents.one(console.pool, name)
    if found is None:
        text = mark("There is no such incident.")
        return page(request, "problem.html", visitor=visitor, status=404, text=text)
    return page(
        request,
        "incident.html",
        visitor=visitor,
        status=400 if problem else 200,
        one=found,
        notes=await incidents.notes(console.pool, name),
        people=await _people(console),
        contact=(await incidents.contacts(console.pool)).get(found.who),
        who=console.names.who(found.who) if found.who else None,
        link=_link(console, found),
        standing=await _standing(console, found),
        steps=STEPS,
        problem=problem,
        at=console.now(),
    )


def _link(console: Console, found: Incident) -> str:
    if found.who in console.manifests:
        return f"/connectors/{found.who}"
    return f"/programs/{found.who}" if found.who else "/"


async def _standing(console: Console, found: Incident) -> dict[str, Any] | None:
    """The trouble itself while it lasts, with how many it affects."""
    picture = console.pictures.last
    if picture is None or not found.finding:
        return None
    now = next((one for one in findings(picture) if one.key == found.finding), None)
    if now is None:
        return None
    counts = {one["it"].who: one["count"] for one in await affected(console)}
    return {**told(console, now, {}), "count": counts.get(found.who)}


@router.post("/incidents/{name}/{step}")
async def advance(
    name: str,
    step: str,
    request: Request,
    console: Here,
    visitor: Checked,
    text: Annotated[str, Form()] = "",
) -> Response:
    """A note, a hand-over, a ticket sent or answered, or the end with its cause."""
    visitor.need(Permission.OPERATE)
    if step not in incidents.STEPS:
        return await _one(request, console, visitor, name, mark("There is no such page or thing."))
    problem = text_problem(text)
    if step == "handed" and text not in await _people(console):
        problem = mark("This account cannot take an incident in hand.")
    if problem:
        return await _one(request, console, visitor, name, problem)
    now = console.now()
    async with console.transaction() as db:
        done = await incidents.step(db, name, step, text.strip(), by=visitor.account.id, now=now)
        if done:
            await acts.by(db, visitor, f"incident_{step}", now=now, target=name, reason=text)
    if not done:
        text = mark("It is closed already, or no ticket was sent before.")
        return await _one(request, console, visitor, name, text)
    return RedirectResponse(f"/incidents/{name}", 303)
