"""Forms: records that a person types, by the form that the department's manifest declares."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.gateway.contexts import Context, Gateway
from hub.gateway.intakes import item_of, maker_of, publish
from hub.gateway.principals import session_of
from hub.gateway.problems import ProblemError
from hub.gateway.screens import page
from hub.gateway.sessions import Session
from hub.sdk.manifests import Item
from hub.sdk.ways import Way
from hub.tracking.labels import pair
from hub.transports.manual import Finding, FormRefused, Input, body_of, form_of

router = APIRouter(include_in_schema=False)

_LIMIT = 64_000
"""Bytes of a filled form at most."""
_TOKEN, _NUMBER = "form-token", "form-number"


@router.get("/forms/{connector}/{name}")
async def show(connector: str, name: str, request: Request, gateway: Context) -> Response:
    """The empty form."""
    item = item_of(gateway, connector, name, (Way.MANUAL,))
    session = await _session(request, gateway, connector)
    if session is None:
        return RedirectResponse(f"/login?next={request.url.path}", 303)
    # The form's own number: sent twice it is one record. A key that people see is proposed too.
    number = f"{gateway.clock.now():%Y%m%d}-{secrets.token_hex(4).upper()}"
    return _form(request, gateway, item, session, {_NUMBER: number, item.key[0]: number})


@router.post("/forms/{connector}/{name}")
async def take(connector: str, name: str, request: Request, gateway: Context) -> Response:
    """Check what was typed, publish it, show the record's number once the broker holds it."""
    item = item_of(gateway, connector, name, (Way.MANUAL,))
    session = await _session(request, gateway, connector)
    if session is None:
        raise ProblemError(401)
    if int(request.headers.get("content-length") or _LIMIT + 1) > _LIMIT:
        raise ProblemError(413, code="E-TOO-LARGE")
    typed = {key: str(value) for key, value in (await request.form()).items()}
    if not gateway.sessions.is_form_token(session, request.url.path, typed.pop(_TOKEN, "")):
        raise ProblemError(
            403, "表单已失效,请重新打开", "The form is no longer valid; open it again"
        )
    synthetic = gateway.settings.synthetic_people
    try:
        body = body_of(form_of(item), typed, typed.get(_NUMBER, ""), synthetic=synthetic)
    except FormRefused as refused:
        return _form(request, gateway, item, session, typed, refused.findings)
    extra = (("ce_authtype", b"user"), ("ce_authid", str(session.holder.principal).encode()))
    record = maker_of(gateway, item).of_body(body, extra)
    await publish(gateway, [record])
    shown = typed.get(item.key[0]) or typed.get(_NUMBER, "")
    named = _named(gateway, item)
    return page(
        request, "form_done.html", status=202, item=named, record=record.event_id, key=shown
    )


def _form(
    request: Request,
    gateway: Gateway,
    item: Item,
    session: Session,
    typed: dict[str, str],
    findings: Iterable[Finding] = (),
) -> Response:
    wrong = {finding.name: pair((finding.zh, finding.en)) for finding in findings}
    return page(
        request,
        "form.html",
        status=422 if wrong else 200,
        item=_named(gateway, item),
        fields=[_field(asked) for asked in form_of(item).inputs],
        typed=typed,
        wrong=wrong,
        token_name=_TOKEN,
        token=gateway.sessions.form_token(session, request.url.path),
        number_name=_NUMBER,
    )


def _named(gateway: Gateway, item: Item) -> dict[str, Any]:
    manifest = gateway.manifests[item.connector]
    return {
        "name": pair((item.zh, item.en)),
        "department": pair((manifest.zh, manifest.en)),
        "purpose": item.purpose,
        "legal_basis": item.legal_basis,
    }


def _field(asked: Input) -> dict[str, Any]:
    return {
        "name": asked.name,
        "label": pair((asked.zh, asked.en)),
        "kind": asked.kind,
        "required": asked.required,
        "choices": [
            {"value": choice.value, "label": pair((choice.zh, choice.en))}
            for choice in asked.choices
        ],
    }


async def _session(request: Request, gateway: Gateway, connector: str) -> Session | None:
    session = await session_of(request, gateway)
    if session and session.holder.principal != ("department", connector):
        return None
    return session
