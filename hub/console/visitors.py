"""Visitors: who sends a request, and whether they may.

A session is a random token in a cookie; the database holds its digest. It ends after some idle
time, at the latest after a working day, and at once when the account's rights change.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import Annotated, NamedTuple
from urllib.parse import quote

from fastapi import Depends, Request, Response

from hub.console.contexts import Console, console_of
from hub.console.permissions import Permission, permitted
from hub.store import accounts
from hub.store.accounts import Account

COOKIE = "hub_console"
LONGEST_MS = 10 * 3_600_000
OWN_PLACES = ("/own", "/me", "/sign-out")
"""Where an account that sees only its own department or program may go; ``/`` leads there."""
_TOUCH_MS = 60_000


class SignInError(Exception):
    """Somebody must sign in first; ``then`` is the page they wanted."""

    def __init__(self, then: str) -> None:
        super().__init__(then)
        self.then = then

    @property
    def place(self) -> str:
        """The sign-in page that leads on to the page wanted."""
        return f"/sign-in?next={quote(self.then)}"


class RefusedError(Exception):
    """The account may not do this."""

    def __init__(self, permission: str) -> None:
        super().__init__(permission)
        self.permission = permission


class Visitor(NamedTuple):
    """Somebody signed in."""

    account: Account
    csrf: str
    digest: bytes

    @property
    def permissions(self) -> frozenset[Permission]:
        """What this account may do."""
        return permitted(self.account.role, self.account.extra)

    def may(self, permission: str) -> bool:
        """Whether the account may do this."""
        return permission in self.permissions

    def need(self, permission: Permission) -> None:
        """Raise :class:`RefusedError` unless the account may do this."""
        if permission not in self.permissions:
            raise RefusedError(permission)


async def visitor(request: Request) -> Visitor:
    """The visitor of a request.

    Raises:
        SignInError: nobody is signed in, or the session is over.
    """
    console: Console = console_of(request)
    token = request.cookies.get(COOKIE, "")
    idle = console.settings.console_idle_minutes * 60_000
    digest = sha256(token.encode()).digest()
    now = console.now()
    visit = await accounts.visit(console.pool, digest, now=now, idle=idle) if token else None
    if visit is None:
        wanted = request.url.path if request.method == "GET" else "/"
        raise SignInError(wanted)
    if now - visit.seen_at > _TOUCH_MS and "last-event-id" not in request.headers:
        await accounts.seen(console.pool, digest, now=now)
    found = Visitor(visit.account, visit.csrf, digest)
    # Here and not in each page, so that a page that forgets to ask lets nobody in.
    if Permission.VIEW not in found.permissions and not _is_own(request.url.path):
        raise RefusedError(Permission.VIEW)
    return found


def _is_own(path: str) -> bool:
    return (
        path == "/"
        or path.startswith(tuple(f"{one}/" for one in OWN_PLACES))
        or (path in OWN_PLACES)
    )


Signed = Annotated[Visitor, Depends(visitor)]


async def checked(request: Request, found: Signed) -> Visitor:
    """The visitor of a request that changes something; its form must carry the session's token.

    Raises:
        RefusedError: the token is missing or another one.
    """
    token = request.headers.get("x-csrf", "")
    if not token:
        form = await request.form()
        token = str(form.get("csrf", ""))
    if not hmac.compare_digest(token.encode(), found.csrf.encode()):
        raise RefusedError("csrf")
    return found


Checked = Annotated[Visitor, Depends(checked)]


async def open_session(console: Console, account: Account, answer: Response) -> None:
    """Give a browser a new session."""
    token = secrets.token_urlsafe(32)
    now = console.now()
    await accounts.open_session(
        console.pool,
        sha256(token.encode()).digest(),
        account.id,
        secrets.token_urlsafe(24),
        now=now,
        until=now + LONGEST_MS,
    )
    answer.set_cookie(
        COOKIE,
        token,
        httponly=True,
        samesite="lax",
        secure=console.settings.console_public,
    )


async def close_session(console: Console, found: Visitor, answer: Response) -> None:
    """End the session."""
    await accounts.close_session(console.pool, found.digest)
    answer.delete_cookie(COOKIE)
