"""Audits: who did and who read what, when, why, with the state before and after."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import orjson
from fastapi import APIRouter, Request, Response

from hub.console import act_kinds, acts
from hub.console.contexts import Here
from hub.console.exports import download
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.visitors import Checked, Signed
from hub.kernel.clocks import SHANGHAI, epoch_ms, from_epoch_ms, rfc3339
from hub.store import accounts, people_acts
from hub.store.people_acts import Act, Wanted

router = APIRouter(include_in_schema=False)
SHOWN = 100
EXPORTED = 10_000
READS = "reads"
"""Choice of all acts that read a person's data."""
_FILTERS = ("actor", "kind", "target", "since", "until")
_NAMED = frozenset({"reason", "target", "before", "after"})


class Line(NamedTuple):
    """An act as a page shows it."""

    act: Act
    kind: str
    reason: str
    target: str
    before: str
    after: str
    more: str


def line(act: Act) -> Line:
    """An act with the parts of its document."""
    doc: dict[str, Any] = orjson.loads(act.doc)
    target = doc.get("target") or doc.get("operation") or doc.get("topic") or act.event_id or ""
    more = ", ".join(f"{k}={_text(v)}" for k, v in doc.items() if k not in _NAMED and v)
    return Line(
        act,
        act_kinds.name(act.kind),
        _text(doc.get("reason", "")),
        _text(target),
        _text(doc.get("before", "")),
        _text(doc.get("after", "")),
        more,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def wanted_of(query: Any) -> tuple[Wanted, dict[str, str]]:
    """The filter that an address or a form asks for, and its parts as text."""
    parts = {name: str(query.get(name, "")).strip() for name in _FILTERS}
    kind = parts["kind"]
    kinds = act_kinds.READS if kind == READS else (kind,) if kind else None
    wanted = Wanted(
        actor=parts["actor"] or None,
        kinds=kinds,
        target=parts["target"] or None,
        since=instant(parts["since"]),
        until=instant(parts["until"]),
    )
    return wanted, parts


def instant(text: str) -> int | None:
    """Ms since 1970 of a local time such as ``2026-03-01T09:05``; None: no time."""
    try:
        return epoch_ms(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))
    except (ValueError, OverflowError):
        return None


@router.get("/audit")
async def listing(request: Request, console: Here, visitor: Signed) -> Response:
    """Acts of people, newest first."""
    visitor.need(Permission.AUDIT)
    wanted, parts = wanted_of(request.query_params)
    before = request.query_params.get("before", "")
    found = await people_acts.find(
        console.pool,
        wanted,
        limit=SHOWN + 1,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
    )
    return page(
        request,
        "audit.html",
        visitor=visitor,
        rows=[line(one) for one in found[:SHOWN]],
        older=found[SHOWN - 1].id if len(found) > SHOWN else None,
        parts=parts,
        kinds=[(one, act_kinds.name(one)) for one in await people_acts.kinds(console.pool)],
        reads=READS,
        read_kinds=act_kinds.READS,
        people=await accounts.every(console.pool),
        chained=await people_acts.is_chained(console.pool),
        at=console.now(),
    )


@router.post("/audit/export")
async def export(request: Request, console: Here, visitor: Checked) -> Response:
    """What fits the filter as CSV or JSON; the export itself is on record first."""
    visitor.need(Permission.AUDIT)
    form = await request.form()
    wanted, parts = wanted_of(form)
    found = await people_acts.find(console.pool, wanted, limit=EXPORTED)
    chosen = {name: text for name, text in parts.items() if text}
    await acts.by(
        console.pool, visitor, "audit.exported", now=console.now(), rows=len(found), filter=chosen
    )
    head = ("id", "at", "who", "what", "target", "reason", "before", "after", "more")
    rows = [
        (one.act.id, rfc3339(from_epoch_ms(one.act.at)), one.act.actor, one.act.kind, *rest)
        for one in map(line, found)
        for rest in [(one.target, one.reason, one.before, one.after, one.more)]
    ]
    return download("audit", str(form.get("format", "csv")), head, rows)
