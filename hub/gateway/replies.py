"""Replies of programs over HTTP: checked, written as events to ``program.<id>.reply``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse

from hub.contracts import cloudevents
from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import encode_event
from hub.contracts.digests import content_digest
from hub.contracts.events import CanonicalEvent
from hub.contracts.vocabularies import EventType
from hub.gateway.contexts import Context, Gateway
from hub.gateway.principals import of_kind, rate_headers
from hub.gateway.problems import ProblemError
from hub.kernel.amounts import fen
from hub.kernel.clocks import SHANGHAI, epoch_ms, from_epoch_ms
from hub.kernel.dates import days, days_of
from hub.kernel.errors import DataError
from hub.kernel.event_ids import EventIds
from hub.kernel.reasons import CODES
from hub.sdk.instants import instant_ms
from hub.transports.records import RawRecord

router = APIRouter()

_ENVELOPE = {"type", "reply_id", "occurred_at"}
_READERS: dict[str, Callable[[Any], Any]] = {
    "date": days,
    "instant": instant_ms,
    "money": fen,
}


@router.post("/programs/{program}/replies", status_code=202)
async def reply(
    program: str,
    said: Annotated[dict[str, Any], Body()],
    request: Request,
    gateway: Context,
) -> JSONResponse:
    """Take one answer, e.g. ``{"type": "referral.accepted", "referral_id": "…"}``.

    ``reply_id`` (the program's own number) makes a repetition harmless; without it the content
    itself is the number.
    """
    holder = await of_kind(request, gateway, "program", program)
    declared = _declared(program, said)
    event = event_of(gateway, program, declared, said)
    try:
        value = encode_event(event)
    except DataError as error:
        raise _refused(error.code, error.field) from None
    key = (event.groups.get("reply", {}).get("referral_id") or event.event_id).encode()
    headers = (
        *cloudevents.event_headers(event),
        ("ce_authtype", b"api_key"),
        ("ce_authid", str(holder.principal).encode()),
    )
    topic = f"program.{program}.reply"
    record = RawRecord(topic, key, value, headers, event.event_id, event.digest.hex())
    await gateway.broker.publish([record])
    gateway.metrics.accepted.labels(topic).inc()
    return JSONResponse({"ce_id": event.event_id}, 202, headers=rate_headers(request))


def event_of(
    gateway: Gateway, program: str, declared: EventType, said: dict[str, Any]
) -> CanonicalEvent:
    """The answer as an event; its id comes from the program's own number.

    Raises:
        ProblemError: 422, names the field.
    """
    groups = _groups(declared, said)
    occurred = _occurred(gateway, said)
    digest = content_digest(declared.type, groups)
    number = str(said.get("reply_id") or digest.hex())
    division = gateway.profile.division
    source = cloudevents.source_of(division, program)
    return CanonicalEvent(
        event_id=EventIds(source).of(number, declared.type, ""),
        type=declared.type,
        source=program,
        source_record_key=number,
        jurisdiction=division,
        occurred_at=occurred,
        effective_from=days_of(from_epoch_ms(occurred).astimezone(SHANGHAI).date()),
        recorded=gateway.now(),
        correlation_id=str(said.get("referral_id") or said.get("snapshot_id") or number),
        digest=digest,
        groups=groups,
    )


def _declared(program: str, said: dict[str, Any]) -> EventType:
    place = catalogue()
    if program not in place.grants:
        raise ProblemError(404, f"没有项目 {program}", f"There is no program {program}")
    declared = place.events.get(str(said.get("type", "")))
    if declared is None or "reply" not in declared.carried:
        known = ", ".join(e.type for e in place.events.values() if "reply" in e.carried)
        raise ProblemError(
            422,
            f"type 应为以下之一:{known}",
            f"type is one of {known}",
            code="E-TYPE-UNKNOWN",
            field="type",
        )
    return declared


def _groups(declared: EventType, said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    place = catalogue()
    own = [name for name in declared.groups if name in {"reply", "meter"}]
    fields = {field: name for name in own for field in place.groups[name].fields}
    found: dict[str, dict[str, Any]] = {}
    for name, value in said.items():
        if name in _ENVELOPE or value is None:
            continue
        if name not in fields:
            raise _refused("E-FIELD-TYPE", name)
        declaration = place.groups[fields[name]].fields[name]
        found.setdefault(fields[name], {})[name] = _value(declaration.type, name, value)
    for name in declared.required:
        if name not in found:
            raise _refused("E-FIELD-MISSING", next(iter(place.groups[name].fields)))
    if declared.type.startswith("referral.") and not found["reply"].get("referral_id"):
        raise _refused("E-FIELD-MISSING", "referral_id")
    return found


def _value(kind: str, name: str, value: Any) -> Any:
    if not _fits(kind, value):
        raise _refused("E-FIELD-TYPE", name)
    try:
        return _READERS[kind](value) if kind in _READERS else value
    except DataError as error:
        raise _refused(error.code, name) from None


def _fits(kind: str, value: Any) -> bool:
    if kind == "strings":
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    return type(value) is {"int": int, "bool": bool}.get(kind, str)


def _occurred(gateway: Gateway, said: dict[str, Any]) -> int:
    given = said.get("occurred_at")
    if given is None:
        return epoch_ms(gateway.clock.now())
    return int(_value("instant", "occurred_at", given))


def _refused(code: str, field: str) -> ProblemError:
    reason = CODES[code]
    return ProblemError(422, reason.zh, reason.en, code=code, field=field)
