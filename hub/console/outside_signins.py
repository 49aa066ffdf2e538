"""Outside sign-ins: by the city's account service, where the settings name one."""

from __future__ import annotations

import hmac
from urllib.parse import quote, unquote

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import acts
from hub.console.contexts import Console, Here
from hub.console.identities import Attempt, IdentityError, Issuer
from hub.console.languages import mark
from hub.console.screens import page
from hub.console.signins import local, signed_in
from hub.store import accounts

router = APIRouter(include_in_schema=False)
COOKIE = "hub_outside"
_PATH = "/sign-in/outside"
_SECONDS = 600


@router.get(_PATH)
async def leave(request: Request, console: Here, next: str = "/") -> Response:  # noqa: A002 - the address' word
    """Send the browser to the service."""
    if not console.settings.console_oidc_issuer:
        return RedirectResponse("/sign-in", 303)
    attempt = Attempt.new(local(next))
    try:
        place = await Issuer(console.settings).address(attempt, _back(request, console))
    except IdentityError:
        text = mark("The city's account service does not answer. Try again, or use a password.")
        return page(request, "outside.html", status=503, text=text, subject="")
    answer = RedirectResponse(place, 303)
    answer.set_cookie(
        COOKIE,
        quote(msgspec.json.encode(attempt).decode()),
        max_age=_SECONDS,
        path=_PATH,
        httponly=True,
        samesite="lax",
        secure=console.settings.console_public,
    )
    return answer


def _back(request: Request, console: Console) -> str:
    base = console.settings.console_url or str(request.base_url)
    return f"{base.rstrip('/')}{_PATH}/back"


@router.get(f"{_PATH}/back")
async def back(
    request: Request, console: Here, code: str = "", state: str = "", iss: str = ""
) -> Response:
    """Believe the service's answer if it is proven, and open a session of the account it names."""
    attempt = _attempt(request)
    if not console.settings.console_oidc_issuer or attempt is None or not code:
        return _refused(request)
    issuer = Issuer(console.settings)
    known = hmac.compare_digest(state.encode(), attempt.state.encode())
    if not known or (iss and iss.rstrip("/") != issuer.name):
        return _refused(request)
    try:
        subject = await issuer.subject(attempt, code, _back(request, console))
    except IdentityError:
        return _refused(request)
    found = await accounts.by_subject(console.pool, subject)
    now = console.now()
    if found is None or found.disabled_at or found.locked_until > now:
        if found:
            await acts.note(console.pool, found.id, "sign_in_failed", now=now)
        text = mark("No open account here belongs to you. Give an administrator this text:")
        return _without(page(request, "outside.html", status=403, text=text, subject=subject))
    await accounts.passed(console.pool, found.id, step=0, now=now)
    return _without(await signed_in(console, found, local(attempt.then)))


def _attempt(request: Request) -> Attempt | None:
    try:
        return msgspec.json.decode(unquote(request.cookies.get(COOKIE, "")), type=Attempt)
    except msgspec.MsgspecError:
        return None


def _refused(request: Request) -> Response:
    text = mark("This sign-in is not proven or too old. Begin again.")
    return _without(page(request, "outside.html", status=401, text=text, subject=""))


def _without(answer: Response) -> Response:
    """An attempt counts once."""
    answer.delete_cookie(COOKIE, path=_PATH)
    return answer
