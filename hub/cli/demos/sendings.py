"""``hub demo send``: one record of one's own from a second terminal, and what follows from it."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import asyncpg
import orjson

from hub.cli.demos.own_settings import demo_settings
from hub.cli.demos.runs import RunNote, last_run
from hub.cli.languages import both
from hub.cli.output import json_document, line, say, table
from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import decode_copy
from hub.embedded.city import forms
from hub.embedded.city.households import Household, Households
from hub.embedded.city.offices import Offices
from hub.embedded.services import Services, running
from hub.gateway.keys import development_key
from hub.kernel.clocks import SystemClock
from hub.kernel.errors import ConfigurationError, HubError
from hub.kernel.settings import Settings
from hub.runtime.wiring import agreements
from hub.sdk.manifests import load_manifests
from hub.store.connections import pool

KINDS = ("grant", "admission")
_WAIT_SECONDS = 15.0
_STILL_SECONDS = 1.5
_COPIES = (
    "SELECT d.subscription, d.type, d.body, d.fields::text, d.created_at FROM delivery d"
    " WHERE d.event_id IN (SELECT event_id FROM audit WHERE at >= $1 AND (household = $2"
    " OR correlation = $3)) ORDER BY d.subscription, d.seq"
)


async def send(chosen: Settings, what: str, *, as_json: bool) -> None:
    """Enter a record in the demonstration that runs, then show who was told and why.

    Args:
        chosen: Tell the data folder.
        what: ``grant``: a family is granted DIBAO; ``admission``: somebody on roll is admitted.
        as_json: Print JSON.

    Raises:
        HubError: no demonstration runs here, or nothing came of the record in time.
        ConfigurationError: neither a grant nor an admission.
    """
    if what not in KINDS:
        raise ConfigurationError(
            f"'{what}' cannot be sent.",
            hint=f"Send one of {', '.join(KINDS)}.",
            message_zh=f"不能发送 {what};可选:{'、'.join(KINDS)}。",
        )
    own = demo_settings(chosen)
    services, note = running(own.data_dir), last_run(own.data_dir)
    if services is None or note is None or not note.gateway:
        raise HubError(
            f"No demonstration runs on {own.data_dir}.",
            hint="Start one with 'hub demo' in another terminal.",
            message_zh=f"{own.data_dir} 上没有运行中的演示;请在另一终端运行 hub demo。",
        )
    settings = own.model_copy(update={"kafka": services.kafka, "database": services.database})
    since = int(SystemClock().now().timestamp() * 1000)
    household, correlation = await _entered(settings, note, services, what)
    reader = await pool(services.database, size=1)
    try:
        rows = await _followed(reader, since, household.id, correlation)
    finally:
        await reader.close()
    told = [_told(row) for row in rows]
    if as_json:
        json_document({"household": household.id, "copies": told})
    else:
        _show(settings, told, what)


async def _entered(
    settings: Settings, note: RunNote, services: Services, what: str
) -> tuple[Household, str]:
    """Enter the record; whose it is, and the matter it opens."""
    today = SystemClock().now().date()
    draw = random.SystemRandom()
    number = f"T{time.time_ns() // 1_000_000}"
    offices = Offices(
        load_manifests(settings),
        note.exchange,
        services.kafka,
        settings.data_dir / "drops",
        note.gateway,
        lambda connector: development_key(settings, f"department:{connector}"),
    )
    city = list(Households(note.seed, today=today).draw(note.people))
    async with offices:
        if what == "admission":
            household = draw.choice([one for one in city if one.category])
            record = forms.admission(household.head, today, stay=number)
            await offices.enter("hospital", "encounters", record)
            return household, f"hospital:{forms.HOSPITAL}/{number}"
        household = draw.choice([one for one in city if not one.category])
        await offices.enter("civil-affairs", "households", forms.registration(household, today))
        grant = forms.category(household, "GRANT", today, number=number, kind="DIBAO")
        await offices.enter("civil-affairs", "categories", grant)
    return household, ""


async def _followed(
    reader: asyncpg.Pool, since: int, household: str, correlation: str
) -> list[asyncpg.Record]:
    """Copies once no more come."""
    limit = time.monotonic() + _WAIT_SECONDS
    rows: list[asyncpg.Record] = []
    grown = time.monotonic()
    while time.monotonic() < limit and not (rows and time.monotonic() - grown > _STILL_SECONDS):
        found = await reader.fetch(_COPIES, since, household, correlation)
        if len(found) != len(rows):
            rows, grown = found, time.monotonic()
        await asyncio.sleep(0.1)
    if not rows:
        raise HubError(
            "Nothing came of the record in time.",
            hint="Look at the operators' page and the worker's log in the data folder.",
            message_zh="记录在时限内没有结果;请查看运维页面与数据目录中的工作进程日志。",
        )
    return rows


def _told(row: asyncpg.Record) -> dict[str, Any]:
    envelope = decode_copy(row["subscription"], row["body"])["envelope"]
    return {
        "program": row["subscription"],
        "type": row["type"],
        "reason_zh": envelope["reason_zh"],
        "reason_en": envelope["reason_en"],
        "fields": orjson.loads(row["fields"]),
    }


def _show(settings: Settings, told: list[dict[str, Any]], what: str) -> None:
    agreed, events = agreements(settings), catalogue().events
    sent = {"grant": ("民政局纳入低保", "civil affairs granted DIBAO")} | {
        "admission": ("医院收治在保人员", "a hospital admitted somebody on roll")
    }
    say(*sent[what])
    rows = [
        (
            agreed[one["program"]].names.zh,
            events[one["type"]].zh,
            both(one["reason_zh"], one["reason_en"])
            if one["reason_zh"]
            else both("按约定不附理由", "no reason, as agreed"),
            ", ".join(one["fields"]),
        )
        for one in told
    ]
    heads = (("项目", "program"), ("告知", "told"), ("理由", "reason"), ("字段", "fields"))
    table(heads, rows)
    line(both(f"共 {len(told)} 份", f"{len(told)} copies"))
