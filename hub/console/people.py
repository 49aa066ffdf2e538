"""People: the administrator's page of accounts, and everybody's own page."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import acts, passwords
from hub.console.contexts import Console, Here
from hub.console.languages import mark
from hub.console.permissions import EXTRA, ROLES, SCOPED, Permission
from hub.console.screens import page
from hub.console.visitors import Checked, Signed, Visitor
from hub.contracts.catalogues import catalogue
from hub.store import accounts

router = APIRouter(include_in_schema=False)
ISSUER = "Assistance hub"


@router.get("/accounts")
async def listing(request: Request, console: Here, visitor: Signed) -> Response:
    """All accounts."""
    visitor.need(Permission.ADMIN)
    return await _listing(request, console, visitor)


async def _listing(
    request: Request,
    console: Console,
    visitor: Visitor,
    *,
    problem: str = "",
    made: tuple[str, str] | None = None,
) -> Response:
    scopes = {
        "department": sorted(console.manifests),
        "program": sorted(catalogue().grants),
    }
    return page(
        request,
        "accounts.html",
        visitor=visitor,
        status=400 if problem else 200,
        rows=await accounts.every(console.pool),
        roles=ROLES,
        extra=sorted(EXTRA),
        scopes=scopes,
        problem=problem,
        made=made,
        at=console.now(),
    )


@router.post("/accounts")
async def add(
    request: Request,
    console: Here,
    visitor: Checked,
    account: Annotated[str, Form()],
    name: Annotated[str, Form()],
    role: Annotated[str, Form()],
    scope: Annotated[str, Form()] = "",
    extra: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Make an account; its first password is shown once."""
    visitor.need(Permission.ADMIN)
    given = tuple(one for one in extra or () if one in EXTRA)
    problem = problem_of(console, role, scope)
    if not account.strip() or not name.strip():
        problem = mark("An account needs a sign-in name and a name.")
    if problem:
        return await _listing(request, console, visitor, problem=problem)
    password, now = secrets.token_urlsafe(12), console.now()
    new = await accounts.add(
        console.pool,
        account.strip(),
        shown=name.strip(),
        role=role,
        scope=scope or None,
        extra=given,
        password=passwords.hashed(password),
        by=visitor.account.id,
        now=now,
    )
    if not new:
        problem = mark("There is an account of that name.")
        return await _listing(request, console, visitor, problem=problem)
    details = {"target": account.strip(), "role": role, "scope": scope, "extra": given}
    await acts.by(console.pool, visitor, "account_added", now=now, **details)
    return await _listing(request, console, visitor, made=(account.strip(), password))


def problem_of(console: Console, role: str, scope: str) -> str:
    """What is wrong with a role and its scope; empty: nothing."""
    if role not in ROLES:
        return mark("There is no such role.")
    known = console.manifests if role == "department" else catalogue().grants
    if (role in SCOPED) != bool(scope) or (role in SCOPED and scope not in known):
        return mark("Departments and programs need to say which one; other roles must not.")
    return ""


@router.post("/accounts/{name}/{act}")
async def change(
    request: Request, console: Here, visitor: Checked, name: str, act: str
) -> Response:
    """Close, open or give a new password; the account's sessions end."""
    visitor.need(Permission.ADMIN)
    now, password = console.now(), secrets.token_urlsafe(12)
    changes: dict[str, dict[str, Any]] = {
        "close": {"disabled_at": now},
        "open": {"disabled_at": None, "locked_until": 0},
        "password": {"password": passwords.hashed(password), "totp": None},
    }
    if act not in changes or name == visitor.account.id:
        return RedirectResponse("/accounts", 303)
    await accounts.change(console.pool, name, **changes[act])
    await acts.by(console.pool, visitor, f"account_{act}", now=now, target=name)
    if act == "password":
        return await _listing(request, console, visitor, made=(name, password))
    return RedirectResponse("/accounts", 303)


@router.get("/me")
async def me(request: Request, console: Here, visitor: Signed) -> Response:
    """One's own account: password and second factor."""
    return _me(request, console, visitor)


def _me(request: Request, console: Console, visitor: Visitor, **values: str) -> Response:
    given: dict[str, Any] = {"problem": "", "done": "", "secret": "", "enrol": ""} | values
    return page(request, "me.html", visitor=visitor, roles=ROLES, at=console.now(), **given)


@router.post("/me/password")
async def new_password(
    request: Request,
    console: Here,
    visitor: Checked,
    old: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
) -> Response:
    """Change one's password; every session of the account ends."""
    if not await passwords.is_right(old, visitor.account.password):
        return _me(request, console, visitor, problem=mark("The old password is wrong."))
    if not passwords.is_strong(new):
        return _me(request, console, visitor, problem=mark("Twelve characters at least."))
    await accounts.change(console.pool, visitor.account.id, password=passwords.hashed(new))
    await acts.by(console.pool, visitor, "password_changed", now=console.now())
    return RedirectResponse("/sign-in", 303)


@router.post("/me/factor")
async def new_factor(
    request: Request,
    console: Here,
    visitor: Checked,
    secret: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """Show a fresh secret, or keep it once a code proves that the phone has it."""
    if not secret:
        return _enrolling(request, console, visitor, passwords.new_secret())
    if not passwords.step_of(secret, code, now_ms=console.now()):
        problem = mark("The code is wrong.")
        return _enrolling(request, console, visitor, secret, problem=problem)
    await accounts.change(console.pool, visitor.account.id, totp=secret.encode())
    await acts.by(console.pool, visitor, "second_factor_set", now=console.now())
    return RedirectResponse("/sign-in", 303)


def _enrolling(
    request: Request, console: Console, visitor: Visitor, secret: str, problem: str = ""
) -> Response:
    enrol = passwords.enrolment(secret, visitor.account.id, ISSUER)
    return _me(request, console, visitor, secret=secret, enrol=enrol, problem=problem)
