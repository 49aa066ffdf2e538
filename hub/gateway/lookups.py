"""Look-ups: from an ID number and a reason to the matters of that person, on intake's side.

The console holds no ``K_uid`` and never learns a uid: it hands the number over in the body of a
request and is answered ids of matters. A gateway serves this only where it is told to, best one of
its own that departments cannot reach.
"""

from __future__ import annotations

import re
from typing import Annotated, cast

import asyncpg
from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.gateway.contexts import Context, Gateway
from hub.gateway.principals import of_kind
from hub.gateway.problems import ProblemError
from hub.kernel.alarms import PERSONS_ENUMERATED
from hub.kernel.errors import DataError
from hub.kernel.person_keys import UidKey
from hub.kernel.resident_ids import check
from hub.kernel.secrets import Secrets
from hub.store import alarms, lookups

router = APIRouter()
CONSOLE = "console"
"""The operator whose key the console shows."""
PER_MINUTE = 100
PER_HOUR = 300
IN_VAIN = 30
"""Look-ups of one account in an hour, and those that found nobody, from which it is an alarm."""
_SHOWN = 50
_LONG = re.compile(r"[0-9]{6}")
"""A reason is kept for ever and must not name a person by number."""


class Asked(BaseModel):
    """Who asks for whom, and why."""

    model_config = ConfigDict(extra="forbid")

    id_number: SecretStr = Field(max_length=64)
    actor: str = Field(min_length=1, max_length=80)
    reason: str = Field(min_length=4, max_length=400)


@router.post("/lookups/person")
async def person(
    asked: Annotated[Asked, Body()], request: Request, gateway: Context
) -> JSONResponse:
    """Ids of the matters of a person; the look-up is on record before the answer.

    Errors: 404 where look-ups are not served, 401 and 403 for another key than the console's, 422
    for a number that is none, 429 over the rate of one account.
    """
    if not gateway.settings.gateway_lookups:
        raise ProblemError(404)
    await of_kind(request, gateway, "operator", CONSOLE)
    if _LONG.search(asked.reason):
        raise ProblemError(422, code="E-FIELD-TYPE", field="reason")
    uid = _uid(gateway, asked.id_number.get_secret_value())
    now = gateway.now()
    async with gateway.pool.acquire() as held, held.transaction():
        connection = cast("asyncpg.Connection", held)
        before = await lookups.asked(connection, asked.actor, now=now)
        if before.minute >= PER_MINUTE:
            raise ProblemError(429, headers={"Retry-After": "60"})
        found = await lookups.matters(connection, uid, limit=_SHOWN)
        await lookups.note(
            connection, asked.actor, uid, reason=asked.reason, found=len(found), now=now
        )
        if before.hour + 1 >= PER_HOUR or before.in_vain + (not found) >= IN_VAIN:
            detail = f"{before.hour + 1} in an hour"
            await alarms.sound(connection, PERSONS_ENUMERATED, asked.actor, detail, now=now)
    return JSONResponse(
        {"matters": [one._asdict() for one in found]}, headers={"Cache-Control": "no-store"}
    )


def _uid(gateway: Gateway, text: str) -> bytes:
    try:
        number = check(text, recorded=None, synthetic=gateway.settings.synthetic_people).number
    except DataError as error:
        raise ProblemError(422, code=error.code, field="id_number") from None
    return UidKey(Secrets.load(gateway.settings, ("k_uid",)).k_uid).uid(number)
