"""Tracking: one matter hop by hop, with the reason of each step; no name, no ID number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import asyncpg
import orjson

from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import decode_copy
from hub.kernel.clocks import from_epoch_ms, rfc3339
from hub.kernel.errors import DataError
from hub.referrals.replies import matter_is_open
from hub.sdk.manifests import Manifest
from hub.sdk.profiles import Profile
from hub.store import traces
from hub.tracking import labels
from hub.tracking.labels import Document, Label, pair
from hub.tracking.receipts import Place, Receipt, receipts

_ROUNDS = 3
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{2,99}")
"""What may be asked for."""


class Source(NamedTuple):
    """What a trace reads.

    Attributes:
        pool: The hub's database.
        manifests: Departments' names.
        profile: Sentences of the rules.
        now: ms since 1970.
        kafka: Bootstrap servers, for the receipts of events.
        prefix: Before every topic's name.
    """

    pool: asyncpg.Pool
    manifests: dict[str, Manifest]
    profile: Profile
    now: int
    kafka: str
    prefix: str


class _Found:
    """Rows of one matter while it is followed."""

    def __init__(self) -> None:
        self.referrals: list[dict[str, Any]] = []
        self.work: list[dict[str, Any]] = []
        self.deliveries: list[dict[str, Any]] = []
        self.audit: list[dict[str, Any]] = []
        self.letters: list[dict[str, Any]] = []
        self.seen: list[dict[str, Any]] = []
        self.receipts: dict[str, Receipt] = {}


async def trace(source: Source, ref: str) -> Document | None:
    """Everything on record about a matter.

    Args:
        source: Where to look.
        ref: Id of a referral, an event, a correlation, a case, a task or a dead letter.

    Returns:
        ``hops`` in order of time, ``referrals``, ``matters``, ``work``; None: nothing is known.
    """
    refs, found = {ref}, _Found()
    for _ in range(_ROUNDS):
        await _look(source, refs, found)
        more = refs | _mentioned(found, ref)
        if more == refs:
            break
        refs = more
    found.seen = await traces.seen(source.pool, [r for r in refs if _UUID.fullmatch(r)])
    places = [place for row in found.seen if (place := _place(source, row))]
    if places:
        found.receipts = await receipts(source.kafka, places)
    # Events of one batch share an instant: the audit's order tells which came first, and keeps
    # each event's hops together.
    ranks = {row["event_id"]: rank for rank, row in enumerate(found.audit, 1)}
    hops = sorted(
        _hops(source, found),
        key=lambda hop: (hop["at"] or 0, ranks.get(hop["cause"], 0), hop["order"]),
    )
    if not hops:
        return None
    now = source.now
    return {
        "ref": ref,
        "as_of": rfc3339(from_epoch_ms(now)),
        "referrals": [_referral(source, row, now) for row in found.referrals],
        "matters": _matters(found.referrals),
        "work": [_work_row(row, now) for row in found.work],
        "hops": hops,
    }


async def _look(source: Source, refs: set[str], found: _Found) -> None:
    pool = source.pool
    found.referrals = await traces.referrals(pool, refs)
    found.work = await traces.work(pool, refs)
    found.deliveries = await traces.deliveries(pool, refs)
    found.audit = await traces.audit(pool, refs)
    found.letters = await traces.dead_letters(pool, refs)


def _mentioned(found: _Found, ref: str) -> set[str]:
    ids: set[str | None] = set()
    for row in found.referrals:
        ids |= {row["id"], row["correlation"], row["episode"]}
        ids |= {step[3] for step in orjson.loads(row["history"]) if len(step) > 3}
    for row in found.work:
        ids |= {row["id"], row["correlation"], row["opened_by"]}
    ids |= {row["event_id"] for row in found.deliveries}
    # A correlation leads to its events; an event alone does not lead to all of its matter.
    ids |= {row["event_id"] for row in found.audit}
    ids |= {row["correlation"] for row in found.audit if row["event_id"] == ref}
    ids |= {row["event_id"] for row in found.letters}
    return {one for one in ids if one}


def _hops(source: Source, found: _Found) -> Iterable[Document]:
    for row in found.seen:
        yield from _received_hop(source, row, found.receipts)
        yield _seen_hop(row)
    yield from (_audit_hop(source, row) for row in found.audit)
    yield from (_letter_hop(source, row) for row in found.letters)
    for row in found.deliveries:
        yield from _delivery_hops(source, row)
    for row in found.referrals:
        yield from _reply_hops(row)
    for row in found.work:
        yield from _work_hops(row)


def _hop(
    order: int, at: int | None, stage: str, name: Label, title: Label, **more: Any
) -> Document:
    return {
        "at": at,
        "cause": "",
        "time": labels.moment(at),
        "order": order,
        "stage": stage,
        "stage_name": pair(name),
        "title": pair(title),
        **more,
    }


def _place(source: Source, row: dict[str, Any]) -> Place | None:
    declared = catalogue().events.get(row["type"])
    if declared is None or not declared.topic:
        return None
    return Place(row["event_id"], source.prefix + declared.topic, row["part"], row["off"])


def _received_hop(
    source: Source, row: dict[str, Any], known: dict[str, Receipt]
) -> Iterable[Document]:
    receipt = known.get(row["event_id"])
    if receipt is None:
        return
    zh, en = labels.connector(source, receipt.source)
    if receipt.source == "hub":
        zh, en = "枢纽自身的决定", "the hub's own conclusion"
    yield _hop(
        0,
        receipt.recorded or row["at"],
        "received",
        ("接收", "Received"),
        (zh, en),
        cause=row["event_id"],
        id=receipt.record_key,
        correlation=receipt.correlation,
    )


def _seen_hop(row: dict[str, Any]) -> Document:
    declared = catalogue().events.get(row["type"])
    topic = declared.topic if declared else ""
    disposition = labels.of(labels.DISPOSITIONS, row["disposition"])
    return _hop(
        1,
        row["at"],
        "canonical",
        ("事件", "Event"),
        labels.event(row["type"]),
        cause=row["event_id"],
        id=row["event_id"],
        type=row["type"],
        place=f"{topic}/{row['part']}@{row['off']}" if topic else "",
        result=pair(disposition),
        reason=row["reason"] or "",
    )


def _audit_hop(source: Source, row: dict[str, Any]) -> Document:
    doc = orjson.loads(row["doc"])
    because = _counted(_because(source, entry) for entry in doc.get("because", ()))
    denied = _denied(doc.get("denied", ()))
    effects = len(doc.get("copies", ()))
    title = (
        (f"依据规则产生 {effects} 份副本", f"{effects} copies follow from the rules")
        if effects
        else ("已决策,未产生副本", "Decided; no copy follows")
    )
    return _hop(
        2,
        row["at"],
        "decided",
        ("决策", "Decision"),
        title if row["kind"] == "decision" else (row["kind"], row["kind"]),
        cause=row["event_id"] or "",
        id=row["event_id"] or "",
        type=row["type"] or "",
        actor=row["actor"],
        because=because,
        denied=denied,
    )


def _because(source: Source, entry: Any) -> Document:
    rule, key, version, facts = [*entry, "", "", "", ()][:4]
    return {
        "rule": rule,
        "key": key,
        "version": version,
        "facts": list(facts or ()),
        "sentence": pair(labels.rule(source, rule)),
    }


def _counted(reasons: Iterable[Document]) -> list[Document]:
    """Equal reasons as one, with their number: a right of three pupils is one sentence."""
    found: dict[tuple[str, str], Document] = {}
    for reason in reasons:
        kept = found.setdefault((reason["rule"], reason["key"]), {**reason, "times": 0})
        kept["times"] += 1
    return list(found.values())


def _denied(entries: Iterable[Any]) -> list[Document]:
    by_code: dict[str, list[str]] = {}
    for program, code, *_ in entries:
        by_code.setdefault(code, []).append(program)
    return [
        {
            "code": code,
            "why": pair(labels.of(labels.DENIALS, code)),
            "programs": programs,
            "names": {
                "zh": "、".join(labels.program(name)[0] for name in programs),
                "en": ", ".join(labels.program(name)[1] for name in programs),
            },
        }
        for code, programs in by_code.items()
    ]


def _letter_hop(source: Source, row: dict[str, Any]) -> Document:
    return _hop(
        1,
        row["failed_at"],
        "dead_letter",
        ("死信", "Dead letter"),
        labels.code(row["code"]),
        id=row["id"],
        type=row["type"],
        place=f"{row['topic']}/{row['part']}@{row['off']}" if row["part"] >= 0 else row["topic"],
        result=pair(("已解决", "settled") if row["state"] == "settled" else ("待处理", "open")),
        reason=" ".join(part for part in (row["code"], row["field"]) if part),
        source=pair(labels.connector(source, row["source"])),
    )


def _delivery_hops(source: Source, row: dict[str, Any]) -> Iterable[Document]:
    if not row["topic"].startswith("program."):
        return
    program = row["subscription"]
    fields = [_field(path) for path in orjson.loads(row["fields"])]
    envelope = _envelope(program, row["body"])
    name = labels.program(program)
    kind = labels.event(row["type"])
    yield _hop(
        3,
        row["created_at"],
        "copy",
        ("副本", "Copy"),
        (f"{name[0]}:{kind[0]}", f"{name[1]}: {kind[1]}"),
        cause=row["event_id"],
        id=row["copy_id"],
        type=row["type"],
        program=program,
        fields=fields,
        legal_basis=envelope.get("legal_basis", ""),
        masked=list(envelope.get("masked", ())),
        because=_copy_reason(source, envelope),
    )
    state = delivery_state(row)
    yield _hop(
        4,
        row["done_at"] or row["moved_at"],
        "delivered",
        ("投递", "Delivery"),
        (f"{name[0]} 第 {row['seq']} 号:{state[0]}", f"{name[1]} no. {row['seq']}: {state[1]}"),
        id=row["copy_id"],
        program=program,
        sequence=row["seq"],
        generation=row["generation"],
        reason=row["error"] or "",
    )


def delivery_state(row: dict[str, Any]) -> Label:
    """Where a numbered copy is."""
    if row["mode"] == "webhook" or row["state"] != "cursor":
        return {
            "sent": ("已送达", "delivered"),
            "parked": ("已搁置,需处理", "parked, needs attention"),
        }.get(row["state"], ("等待发送", "waiting"))
    old = row["generation"] < row["current_generation"]
    if old or row["seq"] <= row["acked_seq"]:
        return ("对方已确认", "acknowledged by the program")
    if row["mode"] == "pull":
        return ("待对方拉取", "ready to be fetched")
    return ("已送达", "delivered") if row["seq"] <= row["sent_seq"] else ("发送中", "being sent")


def _envelope(program: str, body: bytes) -> dict[str, Any]:
    """The copy's envelope. The rest of the copy, where names would be, is dropped here."""
    try:
        found: dict[str, Any] = decode_copy(program, body)["envelope"]
    except DataError:
        # A schema withdrawn since: the hop is shown without its legal basis.
        return {}
    return found


def _copy_reason(source: Source, envelope: dict[str, Any]) -> list[Document]:
    rule = envelope.get("rule_id") or ""
    if not rule:
        return []
    zh, en = labels.rule(source, rule)
    told = pair((envelope.get("reason_zh", ""), envelope.get("reason_en", "")))
    version = envelope.get("rule_version", "")
    return [{"rule": rule, "version": version, "sentence": pair((zh, en)), "told": told}]


def _field(path: str) -> Document:
    return {"path": path, "name": pair(labels.field(path))}


def _reply_hops(row: dict[str, Any]) -> Iterable[Document]:
    program = labels.program(row["program"])
    for at, state, actor, *rest in orjson.loads(row["history"]):
        name = labels.of(labels.STATES, str(state).partition(":")[0])
        yield _hop(
            5,
            at,
            "referral",
            ("转介", "Referral"),
            (f"{program[0]}:{name[0]}", f"{program[1]}: {name[1]}"),
            cause=rest[0] if rest else "",
            id=row["id"],
            program=row["program"],
            actor=actor,
        )


def _work_hops(row: dict[str, Any]) -> Iterable[Document]:
    kind = labels.of(labels.KINDS, row["kind"])
    what = ("个案", "Case") if row["what"] == "case" else ("任务", "Task")
    opened = (f"{kind[0]}:打开", f"{kind[1]}: opened")
    cause = row["opened_by"]
    yield _hop(5, row["opened_at"], row["what"], what, opened, id=row["id"], cause=cause)
    if row["closed_at"] is not None:
        closed = (f"{kind[0]}:完成", f"{kind[1]}: closed")
        outcome = row["outcome"] or ""
        yield _hop(6, row["closed_at"], row["what"], what, closed, id=row["id"], reason=outcome)


def _referral(source: Source, row: dict[str, Any], now: int) -> Document:
    return {
        "id": row["id"],
        "program": row["program"],
        "program_name": pair(labels.program(row["program"])),
        "subject": pair(labels.of(labels.SUBJECTS, row["subject_kind"])),
        "state": row["state"],
        "state_name": pair(labels.of(labels.STATES, row["state"])),
        "stop_state": row["stop_state"] or "",
        "stop_name": pair(labels.of(labels.STATES, row["stop_state"])),
        "stop_decision": row["stop_decision"] or "",
        "closed_reason": row["closed_reason"] or "",
        "rule": row["rule"],
        "because": pair(labels.rule(source, row["rule"])),
        "correlation": row["correlation"],
        "opened": labels.moment(row["opened_at"]),
        "due": labels.moment(row["due_at"]),
        "late": bool(row["due_at"] and row["due_at"] < now and row["state"] == "created"),
    }


def _matters(referrals: Iterable[dict[str, Any]]) -> list[Document]:
    """Referrals under one correlation id are one matter, closed when each of them is (RG-14)."""
    states: dict[str, list[str]] = {}
    for row in referrals:
        states.setdefault(row["correlation"], []).append(row["state"])
    return [
        {
            "correlation": correlation,
            "referrals": len(found),
            "state": "open" if matter_is_open(found) else "closed",
        }
        for correlation, found in states.items()
    ]


def _work_row(row: dict[str, Any], now: int) -> Document:
    return {
        "id": row["id"],
        "what": row["what"],
        "kind": row["kind"],
        "kind_name": pair(labels.of(labels.KINDS, row["kind"])),
        "state": row["state"],
        "opened": labels.moment(row["opened_at"]),
        "closed": labels.moment(row["closed_at"]),
        "decision_id": row["decision_id"] or "",
        "late": bool(row["due_at"] and row["due_at"] < now and row["closed_at"] is None),
    }
