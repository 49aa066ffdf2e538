"""Who may open what: one table of roles and routes, and no route without a right."""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi.routing import APIRoute

from hub.console.apps import ROUTERS
from hub.console.permissions import EXTRA, ROLES, Permission
from tests.console.conftest import Rig, token
from tests.console.test_live_pages import take

P = Permission
OPEN = {
    "/static/{digest}/{name:path}", "/favicon.ico", "/sign-in", "/sign-out", "/sign-in/outside",
    "/sign-in/outside/back", "/me", "/me/password", "/me/factor",
}  # fmt: skip
"""Before signing in, or about oneself."""
LEADS_ON = {"/"}
"""Leads those without figures to their own pages."""
READ: dict[str, Permission] = {
    "/connectors": P.VIEW,
    "/connectors/health": P.VIEW,
    "/programs": P.VIEW,
    "/programs/medical-aid": P.VIEW,
    "/lag": P.VIEW,
    "/throughput": P.VIEW,
    "/latency": P.VIEW,
    "/quality": P.VIEW,
    "/workers": P.VIEW,
    "/servers": P.VIEW,
    "/letters": P.VIEW,
    "/operations": P.VIEW,
    "/parked": P.VIEW,
    "/topics": P.VIEW,
    "/schemas": P.VIEW,
    "/find": P.VIEW,
    "/journey/none": P.VIEW,
    "/people": P.MESSAGE,
    "/topics/event.need/0/0": P.MESSAGE,
    "/audit": P.AUDIT,
    "/accounts": P.ADMIN,
}
ACTS: dict[str, frozenset[Permission]] = {
    "/connectors/health/pause": frozenset({P.OPERATE}),
    "/letters/none/reveal": frozenset({P.REVEAL}),
    "/letters/redrive": frozenset({P.REDRIVE}),
    "/letters/none/edit": frozenset({P.REDRIVE, P.REVEAL}),
    "/operations/none/judge": frozenset({P.APPROVE}),
    "/parked": frozenset({P.REDRIVE}),
    "/offsets/hold": frozenset({P.OPERATE}),
    "/offsets/move": frozenset({P.OPERATE}),
    "/topics/event.need": frozenset({P.VIEW}),
    "/topics/event.need/export": frozenset({P.MESSAGE}),
    "/topics/event.need/0/0/reveal": frozenset({P.MESSAGE, P.REVEAL}),
    "/people": frozenset({P.MESSAGE}),
    "/find": frozenset({P.VIEW}),
    "/schemas": frozenset({P.VIEW}),
    "/audit/export": frozenset({P.AUDIT}),
    "/accounts": frozenset({P.ADMIN}),
    "/accounts/none/close": frozenset({P.ADMIN}),
}
FORM = {
    "account": "x", "name": "x", "role": "viewer", "reason": "", "id": "none", "topic": "event.need",
    "part": "0", "act": "none", "to": "earliest", "subscription": "medical-aid", "value": "{}",
    "verdict": "approve", "program": "medical-aid",
}  # fmt: skip


async def _form(browser: httpx.AsyncClient) -> dict[str, str]:
    return FORM | {"csrf": token(await browser.get("/me"))}


@pytest.mark.parametrize("role", sorted(ROLES))
async def test_a_role_opens_the_pages_of_its_rights_and_no_other(rig: Rig, role: str) -> None:
    await take(rig)
    scope = {"department": "health", "program": "medical-aid"}.get(role)
    browser = await rig.signed_in(role, scope=scope)
    rights = ROLES[role].permissions
    for path, needed in READ.items():
        answer = await browser.get(path)
        assert (answer.status_code == 403) == (needed not in rights), (role, path)
    form = await _form(browser)
    for path, wanted in ACTS.items():
        if not wanted <= rights:
            assert (await browser.post(path, data=form)).status_code == 403, (role, path)


async def test_no_route_is_open_to_an_account_without_rights(rig: Rig) -> None:
    await take(rig)
    viewer = await rig.signed_in("viewer")
    form = await _form(viewer)
    await rig.fetch("UPDATE account SET role = 'none'")
    for method, path, fields in _routes():
        if path in OPEN | LEADS_ON:
            continue
        address = re.sub(r"{[^}]+}", "1", path.replace("/live/{name}", "/live/map"))
        data = form | dict.fromkeys(fields, "1") if method == "POST" else None
        answer = await viewer.request(method, address, data=data)
        assert answer.status_code == 403, (method, path, answer.status_code)


async def test_every_act_needs_the_sessions_token_and_a_session(rig: Rig) -> None:
    browser = await rig.signed_in("operator", extra=tuple(one.value for one in EXTRA))
    stranger = rig.client()
    for path in ACTS:
        assert (await browser.post(path, data=FORM)).status_code == 403, path
        answer = await stranger.post(path, data=FORM)
        assert "/sign-in" in answer.headers["location"], path


def test_no_role_holds_every_right_and_none_may_reveal_by_itself() -> None:
    for role in ROLES.values():
        assert set(Permission) - role.permissions >= {P.REVEAL, P.OWN} or role.id in {
            "department",
            "program",
        }
        assert not {P.ADMIN, P.AUDIT} <= role.permissions
        assert not {P.ADMIN, P.MESSAGE} <= role.permissions


def _routes() -> list[tuple[str, str, list[str]]]:
    """Method, path and form fields of every route of the console."""
    return [
        (method, route.path, [one.alias for one in route.dependant.body_params])
        for part in ROUTERS
        for route in part.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    ]
