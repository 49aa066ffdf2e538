"""Journeys: one matter hop by hop on one timeline, and the search that leads there."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import act_kinds
from hub.console.contexts import Console, Here
from hub.console.languages import mark
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.visitors import Checked, Signed
from hub.contracts.catalogues import catalogue
from hub.kernel.errors import HubError
from hub.store import dead_letter_index, operations
from hub.tracking.matters import REFERENCE, Source, trace

router = APIRouter(include_in_schema=False)
_PERSONAL = re.compile(r"[0-9]{15}|[0-9]{17}[0-9Xx]|1[3-9][0-9]{9}")
STAGES = {
    "received": "none",
    "canonical": "none",
    "decided": "good",
    "copy": "none",
    "delivered": "good",
    "referral": "good",
    "dead_letter": "bad",
    "case": "warn",
    "task": "warn",
}
"""Kind of a hop → shape of its status."""


def is_personal(text: str) -> bool:
    """Whether a text is an ID number or a telephone number: never part of an address."""
    return bool(_PERSONAL.fullmatch(re.sub(r"[\s-]", "", text)))


@router.get("/journey/{ref:path}")
async def journey(ref: str, request: Request, console: Here, visitor: Signed) -> Response:
    """Everything on record about one matter: no name, no ID number."""
    visitor.need(Permission.VIEW)
    found = None
    if REFERENCE.fullmatch(ref) and not is_personal(ref):
        source = Source(
            console.pool,
            console.manifests,
            console.profile,
            console.now(),
            console.kafka,
            console.settings.topic_prefix,
        )
        found = await trace(source, ref)
    if found:
        # Who read it is the auditors' to see.
        found["hops"] = [h for h in found["hops"] if h["title"]["en"] not in act_kinds.READS]
    if found is None:
        text = mark("Nothing is on record about this number.")
        return page(request, "find.html", visitor=visitor, status=404, problem=text)
    return page(
        request,
        "journey.html",
        visitor=visitor,
        ref=ref,
        found=found,
        stages=STAGES,
        places=_topics(found),
    )


def _topics(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Place of a hop → address of the record and of its schema."""
    known = catalogue()
    addresses = {}
    for hop in found["hops"]:
        place = re.fullmatch(r"([a-z0-9.-]+)/([0-9]+)@([0-9]+)", hop.get("place", ""))
        if place and place[1] in known.topics:
            event = known.events.get(hop.get("type") or "")
            file = event.schema_file if event else ""
            addresses[hop["place"]] = (f"/topics/{place[1]}/{place[2]}/{place[3]}", file)
    return addresses


@router.get("/find")
async def form(request: Request, visitor: Signed) -> Response:
    """The search alone, for small screens."""
    visitor.need(Permission.VIEW)
    return page(request, "find.html", visitor=visitor, problem="")


@router.post("/find")
async def find(
    request: Request, console: Here, visitor: Checked, ref: Annotated[str, Form()] = ""
) -> Response:
    """Lead to what a text names; an ID number is refused here and never becomes an address."""
    visitor.need(Permission.VIEW)
    text = ref.strip()
    if is_personal(text):
        problem = mark("This is a number of a person. Use the person search, which asks a reason.")
        return page(request, "find.html", visitor=visitor, status=400, problem=problem)
    place = await _place(console, text)
    if place:
        return RedirectResponse(place, 303)
    problem = mark("Nothing is on record about this number or name.")
    return page(request, "find.html", visitor=visitor, status=404, problem=problem)


async def _place(console: Console, text: str) -> str:
    """The page of a department, program, topic, dead letter, request or matter; empty: none."""
    named = _named(console, text)
    if named or not REFERENCE.fullmatch(text):
        return named
    if await dead_letter_index.by_ids(console.pool, [text]):
        return f"/letters/{text}"
    with suppress(HubError):
        return f"/operations/{(await operations.found(console.pool, text)).id}"
    return f"/journey/{quote(text, safe='')}"


def _named(console: Console, text: str) -> str:
    """By id, or by a part of the Chinese or English name that only one thing has."""
    known = catalogue()
    things = {
        f"/connectors/{one.id}": (one.id, one.zh, one.en) for one in console.manifests.values()
    }
    things |= {
        f"/programs/{one.program}": (one.program, one.zh, one.en) for one in known.grants.values()
    }
    things |= {
        f"/topics/{one.name}": (one.name, one.name, one.name) for one in known.topics.values()
    }
    wanted = text.casefold()
    exact = [place for place, names in things.items() if wanted in map(str.casefold, names)]
    near = [
        place
        for place, names in things.items()
        if len(wanted) > 1 and any(wanted in name.casefold() for name in names[1:])
    ]
    return exact[0] if exact else near[0] if len(near) == 1 else ""
