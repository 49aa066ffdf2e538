"""Pull delivery: a program fetches its copies in order, asks for gaps, acknowledges."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast

import asyncpg
import orjson
import structlog
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hub.contracts import cloudevents
from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import decode_copy
from hub.gateway.contexts import Context, Gateway
from hub.gateway.principals import of_kind, rate_headers
from hub.gateway.problems import ProblemError
from hub.model.outbox import unpack
from hub.store import inboxes, numberings, subscriptions
from hub.store.inboxes import Copy, Head
from hub.store.numberings import Number

router = APIRouter()

log = structlog.get_logger(__name__)

EVENTS_JSON = "application/cloudevents+json"
_LOOK_EVERY = 0.25
_NOTHING = Head(1, 0, 0, 1, 0, "pull")

After = Annotated[int | None, Query(ge=0, le=2**62)]
Generation = Annotated[int | None, Query(ge=1, le=numberings.MOST)]
Limit = Annotated[int, Query(ge=1, le=500)]
Wait = Annotated[float, Query(ge=0, le=30)]


class Acknowledgement(BaseModel):
    """Everything up to ``sequence`` of a generation (by default the present one) is safe."""

    model_config = ConfigDict(extra="forbid")

    sequence: int = Field(ge=0)
    generation: int | None = Field(default=None, ge=1, le=numberings.MOST)


@router.get("/programs/{program}/inbox")
async def inbox(
    program: str,
    request: Request,
    gateway: Context,
    after: After = None,
    generation: Generation = None,
    limit: Limit = 100,
    wait: Wait = 0,
) -> Response:
    """Copies after a number, by default after the last one acknowledged, in order.

    Numbers of a later generation follow those of an earlier one. With ``wait`` (seconds) the
    answer comes as soon as there is a copy.
    """
    await _permitted(request, gateway, program)
    head = await _head(gateway, program)
    start = head.acked_generation, head.acked_seq
    if after is not None:
        start = generation or head.acked_generation, after
        await _believed(gateway, program, head, start, told=generation is not None)
    head, copies = await _fetched(gateway, program, start, limit, wait)
    gateway.metrics.pulled.labels(program).inc(len(copies))
    document = {
        "program": program,
        "generation": head.generation,
        "last": head.last_seq,
        "acknowledged": head.acked_seq,
        "acknowledged_generation": head.acked_generation,
        "copies": [orjson.Fragment(rendered(program, copy)) for copy in copies],
    }
    return Response(
        orjson.dumps(document), media_type="application/json", headers=rate_headers(request)
    )


@router.get("/programs/{program}/inbox/{sequence}", include_in_schema=False)
@router.get("/programs/{program}/copies/{sequence}")
async def one(
    program: str,
    sequence: Annotated[int, Path(ge=1, le=2**62)],
    request: Request,
    gateway: Context,
    generation: Generation = None,
) -> Response:
    """The copy with one number, however copies are delivered: how a receiver closes a gap.

    A copy that was parked, or given up, is found here too. 410: the generation ended before that
    number, so what it stood for has come, or comes, under a number of the next one.
    """
    await _permitted(request, gateway, program)
    head = await _head(gateway, program)
    wanted = generation or head.generation
    found = await inboxes.one(gateway.pool, program, wanted, sequence, now=gateway.now())
    if found:
        return Response(
            rendered(program, found), media_type=EVENTS_JSON, headers=rate_headers(request)
        )
    last = await numberings.ended(gateway.pool, program, wanted)
    if last is not None and sequence > last:
        raise ProblemError(
            410,
            f"第 {wanted} 代编号止于 {last};其后的内容已按第 {wanted + 1} 代编号重发",
            f"Generation {wanted} ended at {last}; what came after it has numbers of the next one",
            last=last,
            generation=head.generation,
        )
    raise ProblemError(
        404,
        f"没有序号 {sequence};最后一个是 {head.last_seq}",
        f"There is no sequence {sequence}; the last one is {head.last_seq}",
        last=head.last_seq,
        generation=head.generation,
    )


@router.post("/programs/{program}/ack")
async def acknowledge(
    program: str, said: Acknowledgement, request: Request, gateway: Context
) -> JSONResponse:
    """Move the program's own cursor; it never moves back."""
    await _permitted(request, gateway, program)
    async with gateway.pool.acquire() as connection:
        known = await subscriptions.acked(
            cast("asyncpg.Connection", connection), program, said.sequence, said.generation
        )
    head = await _head(gateway, program)
    if not known:
        raise _never_given(head, said.generation or head.generation, said.sequence)
    return JSONResponse(
        {
            "acknowledged": head.acked_seq,
            "acknowledged_generation": head.acked_generation,
            "generation": head.generation,
        },
        headers=rate_headers(request),
    )


def rendered(program: str, copy: Copy) -> bytes:
    """A copy as structured CloudEvents JSON, with its number."""
    headers = cloudevents.with_sequence(unpack(copy.headers), copy.seq, copy.generation)
    return cloudevents.to_json(program, decode_copy(program, copy.body), headers)


async def _permitted(request: Request, gateway: Gateway, program: str) -> None:
    await of_kind(request, gateway, "program", program)
    if program not in catalogue().grants:
        raise ProblemError(404, f"没有项目 {program}", f"There is no program {program}")


async def _head(gateway: Gateway, program: str) -> Head:
    return await inboxes.head(gateway.pool, program) or _NOTHING


def _never_given(head: Head, generation: int, sequence: int) -> ProblemError:
    return ProblemError(
        409,
        f"第 {generation} 代序号 {sequence} 尚未发出;当前为第 {head.generation} 代",
        f"The sequence {sequence} of generation {generation} was never given;"
        f" the present generation is {head.generation}",
        last=head.last_seq,
        generation=head.generation,
    )


async def _believed(
    gateway: Gateway, program: str, head: Head, start: Number, *, told: bool
) -> None:
    """A receiver that holds a number which was never given has seen what the database forgot.

    Its numbering then goes on in a new generation, so that no number it holds comes twice. Told
    without a generation it may as well be a slip of the receiver and is refused.

    Raises:
        ProblemError: 409.
    """
    if start <= (head.generation, head.last_seq) or start[1] == 0:
        return
    if not told:
        raise _never_given(head, *start)
    async with gateway.pool.acquire() as connection:
        if await numberings.claimed(cast("asyncpg.Connection", connection), program, start):
            log.error("receiver holds later numbers", subscription=program)


async def _fetched(
    gateway: Gateway, program: str, start: Number, limit: int, wait: float
) -> tuple[Head, list[Copy]]:
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while True:
        head = await _head(gateway, program)
        copies: list[Copy] = []
        if (head.generation, head.last_seq) > start:
            copies = await inboxes.after(gateway.pool, program, *start, limit)
        if copies or loop.time() >= until:
            return head, copies
        await asyncio.sleep(min(_LOOK_EVERY, max(0.0, until - loop.time())))
