"""Pages of operators: overview, tracking, and the way in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from hub.gateway.contexts import Context, Gateway
from hub.gateway.keys import Holder
from hub.gateway.overview import overview
from hub.gateway.principals import operator, session_of, wants_html
from hub.gateway.problems import ProblemError
from hub.gateway.screens import page
from hub.gateway.sessions import COOKIE, SESSION_MS
from hub.tracking.matters import REFERENCE, Source, trace

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request, gateway: Context, part: str = "") -> Response:
    """The overview; with ``?part=main`` only what changes."""
    await operator(request, gateway)
    document = await overview(gateway)
    template = "overview_main.html" if part == "main" else "overview.html"
    return page(request, template, view=document, leave=await _leave(request, gateway))


@router.get("/status.json", include_in_schema=True)
async def status(request: Request, gateway: Context) -> JSONResponse:
    """The overview's figures."""
    await operator(request, gateway)
    return JSONResponse(await overview(gateway), headers={"Cache-Control": "no-store"})


@router.get("/tracking")
async def look_up(request: Request, gateway: Context, ref: str = "") -> Response:
    """The search form's way to a matter."""
    await operator(request, gateway)
    if ref.strip():
        return RedirectResponse(f"/tracking/{ref.strip()}", 303)
    leave = await _leave(request, gateway)
    return page(request, "tracking.html", ref="", found=None, leave=leave)


@router.get("/tracking/{ref:path}", include_in_schema=True)
async def tracking(ref: str, request: Request, gateway: Context) -> Response:
    """One matter, every hop with its reason; ``.json`` or ``Accept`` give the document."""
    await operator(request, gateway)
    as_json = ref.endswith(".json") or not wants_html(request)
    plain = ref.removesuffix(".json")
    source = Source(
        gateway.pool,
        gateway.manifests,
        gateway.profile,
        gateway.now(),
        gateway.kafka,
        gateway.settings.topic_prefix,
    )
    found = await trace(source, plain) if REFERENCE.fullmatch(plain) else None
    if not as_json:
        leave = await _leave(request, gateway)
        status = 200 if found else 404
        return page(request, "tracking.html", status=status, ref=plain, found=found, leave=leave)
    if found is None:
        raise ProblemError(404, "没有关于它的记录", "Nothing is on record about it")
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


@router.get("/login")
async def login(request: Request, next: str = "/") -> Response:  # noqa: A002 - the address' word
    """Where a person shows a key."""
    return page(request, "login.html", then=local(next), wrong=False)


@router.post("/login")
async def enter(
    request: Request,
    gateway: Context,
    key: Annotated[str, Form()] = "",
    then: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session with a key."""
    client = request.client.host if request.client else ""
    verdict = gateway.buckets.take(f"login {client}")
    if not verdict.allowed:
        raise ProblemError(429, headers=verdict.headers())
    holder = await gateway.keys.holder(key.strip(), now=gateway.now()) if key.strip() else None
    if holder is None:
        return page(request, "login.html", status=401, then=local(then), wrong=True)
    return opened(gateway, holder, local(then))


@router.get("/enter/{ticket}")
async def by_link(ticket: str, request: Request, gateway: Context) -> Response:
    """Open a session with a link that was printed on the terminal; it works once."""
    holder = gateway.sessions.redeem(ticket)
    if holder is None:
        return page(request, "login.html", status=401, then="/", wrong=True)
    return opened(gateway, holder, "/")


@router.post("/logout")
async def leave(request: Request, gateway: Context, token: Annotated[str, Form()] = "") -> Response:
    """End the session."""
    session = await session_of(request, gateway)
    answer = RedirectResponse("/login", 303)
    if session and gateway.sessions.is_form_token(session, "/logout", token):
        answer.delete_cookie(COOKIE)
    return answer


async def _leave(request: Request, gateway: Gateway) -> str:
    """The token of the form that ends this session; empty where a key was sent instead."""
    session = await session_of(request, gateway)
    return gateway.sessions.form_token(session, "/logout") if session else ""


def opened(gateway: Gateway, holder: Holder, then: str) -> Response:
    """A redirect that carries a new session."""
    answer = RedirectResponse(then, 303)
    answer.set_cookie(
        COOKIE,
        gateway.sessions.cookie(holder),
        max_age=SESSION_MS // 1000,
        httponly=True,
        samesite="lax",
        secure=gateway.settings.gateway_public,
    )
    return answer


def local(place: str) -> str:
    """A place on this site; anything else becomes the home page."""
    safe = place.startswith("/") and not place.startswith(("//", "/\\"))
    return place if safe and place.isprintable() else "/"
