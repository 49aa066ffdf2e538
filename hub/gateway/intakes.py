"""Intake over HTTP: a department's record is answered 202 once the broker holds it, not before."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple, cast

import asyncpg
import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from hub.gateway.bodies import TooLargeError, read
from hub.gateway.contexts import Context, Gateway
from hub.gateway.keys import Holder
from hub.gateway.principals import of_kind, rate_headers, within_quota
from hub.gateway.problems import ProblemError
from hub.kernel.errors import DataError
from hub.kernel.reasons import CODES
from hub.sdk.manifests import Item
from hub.sdk.mappings import raw_schema
from hub.sdk.ways import Way
from hub.store import dead_letters
from hub.transports.records import Feed, RawRecord, RecordMaker, Refusal

router = APIRouter()
_OBJECT = msgspec.json.Decoder(dict[str, Any])


class Row(NamedTuple):
    """One checked row: a record to publish, or why not."""

    record: RawRecord | None
    problem: ProblemError | None = None
    large: TooLargeError | None = None


@router.post("/in/{connector}/{name}", status_code=202)
async def receive(connector: str, name: str, request: Request, gateway: Context) -> JSONResponse:
    """Take one record, or a batch (JSON array or NDJSON) with a result per row.

    A record over the limit leaves a dead letter with its digest; other refusals leave nothing,
    because the department has the answer at once.
    """
    holder = await of_kind(request, gateway, "department", connector)
    item = item_of(gateway, connector, name, (Way.REST, Way.MANUAL))
    maker = maker_of(gateway, item)
    try:
        body = await read(request, gateway.settings.max_body)
    except TooLargeError as error:
        await too_large(gateway, maker, item, error)
        raise ProblemError(
            413, code="E-TOO-LARGE", limit=gateway.settings.max_body, digest=error.digest
        ) from None
    within_quota(request, gateway, holder, len(body.rows))
    rows = [checked(gateway, item, maker, data, holder) for data in body.rows]
    for row in rows:
        if row.large:
            await too_large(gateway, maker, item, row.large)
    if not body.is_batch:
        return await _single(request, gateway, rows[0])
    return await _batch(request, gateway, rows)


@router.get("/in/{connector}/{name}/schema")
async def schema(connector: str, name: str, gateway: Context) -> JSONResponse:
    """The published JSON Schema of an item; it holds no data, so it needs no key."""
    item = item_of(gateway, connector, name, tuple(Way))
    found = raw_schema(gateway.manifests[connector], item)
    return JSONResponse(found, media_type="application/schema+json")


def item_of(gateway: Gateway, connector: str, name: str, ways: tuple[Way, ...]) -> Item:
    """A declared item that may come one of these ways.

    Raises:
        ProblemError: 404.
    """
    item = gateway.item(connector, name)
    if item is None:
        raise ProblemError(
            404, f"没有数据项 {connector}/{name}", f"There is no item {connector}/{name}"
        )
    if not set(ways) & set(item.ways):
        raise ProblemError(
            404,
            f"数据项 {connector}/{name} 的共享方式是 {'、'.join(item.ways)}",
            f"The item {connector}/{name} comes by {', '.join(item.ways)}",
        )
    return item


def maker_of(gateway: Gateway, item: Item) -> RecordMaker:
    """What makes the item's raw records."""
    feed = Feed.of(item, gateway.settings.max_body)
    return RecordMaker(feed, gateway.route, gateway.clock)


def checked(gateway: Gateway, item: Item, maker: RecordMaker, data: bytes, holder: Holder) -> Row:
    """A row as a raw record, or the problem: not JSON, not the published form, too large."""
    if len(data) > gateway.settings.max_body:
        large = TooLargeError(sha256(data).hexdigest(), len(data))
        return Row(None, ProblemError(413, code="E-TOO-LARGE"), large)
    try:
        _OBJECT.decode(data)
        msgspec.json.decode(data, type=gateway.mapper(item).raw)
    except msgspec.ValidationError as error:
        field = _field(str(error))
        code = "E-FIELD-MISSING" if "required field" in str(error) else "E-FIELD-TYPE"
        reason = CODES[code]
        return Row(None, ProblemError(422, reason.zh, reason.en, code=code, field=field))
    except msgspec.DecodeError:
        reason = CODES["E-JSON"]
        return Row(None, ProblemError(400, reason.zh, reason.en, code="E-JSON"))
    extra = (
        ("ce_authtype", b"api_key"),
        ("ce_authid", str(holder.principal).encode()),
    )
    try:
        return Row(maker.of_body(data, extra))
    except DataError as error:
        reason = CODES[error.code]
        problem = ProblemError(422, reason.zh, reason.en, code=error.code, field=error.field)
        return Row(None, problem)


async def too_large(gateway: Gateway, maker: RecordMaker, item: Item, error: TooLargeError) -> None:
    """Leave a dead letter with the digest of a body over the limit, on the wire and in the list."""
    refusal = Refusal("E-TOO-LARGE", error.digest, error.size)
    record = maker.of_refused(refusal)
    await gateway.broker.publish([record])
    reason = CODES[refusal.code]
    # There is no offset: the body never entered Kafka. Its digest tells repeats apart.
    place = int(error.digest[:15], 16)
    row = dead_letters.DeadLetterRow(
        id=dead_letters.id_of(item.topic, -1, place),
        stage="edge",
        topic=item.topic,
        part=-1,
        off=place,
        source=item.connector,
        record_key="",
        event_id=record.event_id,
        type=item.topic,
        correlation="",
        code=refusal.code,
        category=str(reason.category),
        field="",
        detail=f"{error.size} bytes, sha256:{error.digest}",
        key=None,
        value=None,
        headers=None,
        attempts=1,
        failed_at=gateway.now(),
    )
    async with gateway.pool.acquire() as connection:
        await dead_letters.write(cast("asyncpg.Connection", connection), [row])


async def publish(gateway: Gateway, records: list[RawRecord]) -> None:
    """Publish and count; returns when the broker holds all of them.

    Raises:
        ProblemError: 503.
    """
    await gateway.broker.publish(records)
    for record in records:
        gateway.metrics.accepted.labels(record.topic).inc()


async def _single(request: Request, gateway: Gateway, row: Row) -> JSONResponse:
    if row.record is None:
        raise row.problem or ProblemError(400)
    await publish(gateway, [row.record])
    return JSONResponse({"ce_id": row.record.event_id}, 202, headers=rate_headers(request))


async def _batch(request: Request, gateway: Gateway, rows: list[Row]) -> JSONResponse:
    good = [row.record for row in rows if row.record]
    if good:
        await publish(gateway, good)
    results = [_result(number, row) for number, row in enumerate(rows)]
    for row in rows:
        if row.problem:
            gateway.metrics.rejected.labels(str(row.problem.status)).inc()
    document = {"accepted": len(good), "rejected": len(rows) - len(good), "rows": results}
    return JSONResponse(document, 202 if good else 422, headers=rate_headers(request))


def _result(number: int, row: Row) -> dict[str, Any]:
    if row.record:
        return {"row": number, "status": 202, "ce_id": row.record.event_id}
    return {"row": number, **(row.problem or ProblemError(400)).document()}


def _field(message: str) -> str:
    # msgspec: "Expected `str`, got `int` - at `$.stay.days`", or "… missing required field `x`".
    place = message.rpartition("`$")[2].rstrip("`").removeprefix(".") if "`$" in message else ""
    if "required field" in message:
        missing = message.partition("required field `")[2].partition("`")[0]
        return f"{place}.{missing}" if place else missing
    return place
