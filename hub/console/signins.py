"""Sign-ins: password, second factor, lockout; signing out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import acts, passwords
from hub.console.contexts import Console, Here
from hub.console.languages import mark
from hub.console.screens import page
from hub.console.visitors import Checked, close_session, open_session
from hub.store import accounts
from hub.store.accounts import Account

router = APIRouter(include_in_schema=False)

_WRONG = mark("Wrong name, password or code.")
_LOCKED = mark("Too many wrong passwords: this account is locked for a while.")
_FAILURES = 5
_LOCK_MS = 15 * 60_000


@router.get("/sign-in")
async def form(request: Request, console: Here, next: str = "/") -> Response:  # noqa: A002
    """Where a person signs in."""
    return _page(request, console, then=local(next))


@router.post("/sign-in")
async def enter(
    request: Request,
    console: Here,
    account: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    then: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session."""
    name, now = account.strip(), console.now()
    found = await accounts.one(console.pool, name)
    right = await passwords.is_right(password, found.password if found else None)
    if found and found.locked_until > now:
        return _page(request, console, then=local(then), problem=_LOCKED, status=429)
    step = _step(found, code, now) if found and right else 0
    usable = found and right and not found.disabled_at and (step or not found.totp)
    if (
        not found
        or not usable
        or not await accounts.passed(console.pool, found.id, step=step, now=now)
    ):
        await accounts.failed(console.pool, name, most=_FAILURES, locked_until=now + _LOCK_MS)
        if found:
            await acts.note(console.pool, found.id, "sign_in_failed", now=now)
        return _page(request, console, then=local(then), problem=_WRONG, status=401)
    return await signed_in(console, found, local(then))


async def signed_in(console: Console, found: Account, then: str) -> Response:
    """A redirect that carries a new session; on record."""
    await acts.note(console.pool, found.id, "sign_in", now=console.now())
    answer = RedirectResponse(then, 303)
    await open_session(console, found, answer)
    return answer


@router.post("/sign-out")
async def leave(console: Here, visitor: Checked) -> Response:
    """End the session."""
    answer = RedirectResponse("/sign-in", 303)
    await close_session(console, visitor, answer)
    return answer


def _step(found: Account, code: str, now: int) -> int:
    if not found.totp:
        return 0
    return passwords.step_of(found.totp.decode(), code, now_ms=now)


def _page(
    request: Request, console: Console, *, then: str, problem: str = "", status: int = 200
) -> Response:
    outside = bool(console.settings.console_oidc_issuer)
    return page(
        request, "sign_in.html", status=status, then=then, problem_text=problem, outside=outside
    )


def local(place: str) -> str:
    """A place on this site; anything else becomes the start page."""
    safe = place.startswith("/") and not place.startswith(("//", "/\\"))
    return place if safe and place.isprintable() else "/"
