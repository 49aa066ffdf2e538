"""Pull delivery: a program fetches its copies in order, asks for gaps, acknowledges."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast

import asyncpg
import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hub.contracts import cloudevents
from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import decode_copy
from hub.gateway.contexts import Context, Gateway
from hub.gateway.principals import of_kind, rate_headers
from hub.gateway.problems import ProblemError
from hub.model.outbox import unpack
from hub.store import inboxes, subscriptions
from hub.store.inboxes import Copy, Head

router = APIRouter()

EVENTS_JSON = "application/cloudevents+json"
_LOOK_EVERY = 0.25
_NOTHING = Head(1, 0, 0, 0, "pull")

After = Annotated[int | None, Query(ge=0)]
Limit = Annotated[int, Query(ge=1, le=500)]
Wait = Annotated[float, Query(ge=0, le=30)]


class Acknowledgement(BaseModel):
    """Everything up to ``sequence`` is safe with the program."""

    model_config = ConfigDict(extra="forbid")

    sequence: int = Field(ge=0)
    generation: int | None = None


@router.get("/programs/{program}/inbox")
async def inbox(
    program: str,
    request: Request,
    gateway: Context,
    after: After = None,
    limit: Limit = 100,
    wait: Wait = 0,
) -> Response:
    """Copies after a sequence number, by default after the last one acknowledged.

    With ``wait`` (seconds) the answer comes as soon as there is a copy.
    """
    await _permitted(request, gateway, program)
    head, copies = await _fetched(gateway, program, after, limit, wait)
    gateway.metrics.pulled.labels(program).inc(len(copies))
    document = {
        "program": program,
        "generation": head.generation,
        "last": head.last_seq,
        "acknowledged": head.acked_seq,
        "copies": [orjson.Fragment(rendered(program, copy)) for copy in copies],
    }
    return Response(
        orjson.dumps(document), media_type="application/json", headers=rate_headers(request)
    )


@router.get("/programs/{program}/inbox/{sequence}")
async def one(program: str, sequence: int, request: Request, gateway: Context) -> Response:
    """The copy with one sequence number: how a receiver closes a gap."""
    await _permitted(request, gateway, program)
    head = await inboxes.head(gateway.pool, program) or _NOTHING
    found = await inboxes.after(gateway.pool, program, head.generation, sequence - 1, 1)
    if not found or found[0].seq != sequence:
        raise ProblemError(
            404,
            f"没有序号 {sequence};最后一个是 {head.last_seq}",
            f"There is no sequence {sequence}; the last one is {head.last_seq}",
            last=head.last_seq,
            generation=head.generation,
        )
    return Response(
        rendered(program, found[0]), media_type=EVENTS_JSON, headers=rate_headers(request)
    )


@router.post("/programs/{program}/ack")
async def acknowledge(
    program: str, said: Acknowledgement, request: Request, gateway: Context
) -> JSONResponse:
    """Move the program's own cursor; it never moves back."""
    await _permitted(request, gateway, program)
    head = await inboxes.head(gateway.pool, program) or _NOTHING
    if said.generation not in {None, head.generation}:
        raise ProblemError(
            409,
            f"编号已换代,当前为第 {head.generation} 代",
            f"The numbering is of generation {head.generation} now",
            generation=head.generation,
        )
    async with gateway.pool.acquire() as connection:
        known = await subscriptions.acked(
            cast("asyncpg.Connection", connection), program, said.sequence
        )
    if not known:
        raise ProblemError(
            409,
            f"序号 {said.sequence} 尚未发出",
            f"The sequence {said.sequence} was never given",
            last=head.last_seq,
        )
    moved = max(head.acked_seq, said.sequence)
    return JSONResponse(
        {"acknowledged": moved, "generation": head.generation}, headers=rate_headers(request)
    )


def rendered(program: str, copy: Copy) -> bytes:
    """A copy as structured CloudEvents JSON, with its number."""
    headers = cloudevents.with_sequence(unpack(copy.headers), copy.seq, copy.generation)
    return cloudevents.to_json(program, decode_copy(program, copy.body), headers)


async def _permitted(request: Request, gateway: Gateway, program: str) -> None:
    await of_kind(request, gateway, "program", program)
    if program not in catalogue().grants:
        raise ProblemError(404, f"没有项目 {program}", f"There is no program {program}")


async def _fetched(
    gateway: Gateway, program: str, after: int | None, limit: int, wait: float
) -> tuple[Head, list[Copy]]:
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while True:
        head = await inboxes.head(gateway.pool, program) or _NOTHING
        start = head.acked_seq if after is None else after
        copies: list[Copy] = []
        if head.last_seq > start:
            copies = await inboxes.after(gateway.pool, program, head.generation, start, limit)
        if copies or loop.time() >= until:
            return head, copies
        await asyncio.sleep(min(_LOOK_EVERY, max(0.0, until - loop.time())))
