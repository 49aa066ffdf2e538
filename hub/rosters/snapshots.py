"""Snapshots: at the end of a quarter each recipient gets what it should have, and confirms it.

A snapshot cuts at what the hub knew when it was made, not at effective dates (RG-03).
"""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contracts.events import CanonicalEvent
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Decision, Deliver, Reason
from hub.model.records import RosterRow
from hub.model.states import Keys, State
from hub.rosters.periods import following, timer
from hub.rosters.rows import SNAPSHOT
from hub.sdk.profiles import RosterRule
from hub.sdk.rosters import roster_digest

SENT, MATCHED, MISMATCH = "sent", "matched", "mismatch"


def close(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """A quarter is over for one recipient: one manifest and its parts, once.

    Raises:
        Need: the recipient's roster is not loaded.
    """
    told = event.groups.get("timer") or {}
    recipient, period = told.get("recipient"), told.get("period")
    rule = next((r for r in ctx.profile.rosters if r.recipient == recipient), None)
    if rule is None or not period:
        return NOTHING
    state.require(Keys(recipients=frozenset((rule.recipient,))))
    key = f"{SNAPSHOT}{period}"
    if key in state.rosters[rule.recipient]:
        return NOTHING
    rows = present(state, rule.recipient)
    record = RosterRow(
        rule.recipient,
        key,
        None,
        None,
        {
            "snapshot": {
                "id": f"{rule.recipient}:{period}",
                "period": period,
                "rows": len(rows),
                "state": SENT,
                "sent_at": ctx.now_ms,
                "sends": 1,
            }
        },
        present=False,
        digest=roster_digest(row.digest for row in rows),
    )
    reason = Reason(
        rule.id,
        "roster.snapshot",
        ctx.profile.version,
        (event.event_id,),
        {"recipient": rule.recipient, "period": period, "rows": len(rows)},
    )
    copies = manifest(rule, record, rows, event, ctx, reason)
    upcoming = timer(rule.recipient, following(period))
    return Decision((record,), (*copies, upcoming), (reason,))


def present(state: State, recipient: str) -> list[RosterRow]:
    """The rows a recipient should have, by row key."""
    rows = state.rosters[recipient]
    return [rows[key] for key in sorted(rows) if rows[key].present]


def manifest(
    rule: RosterRule,
    record: RosterRow,
    rows: list[RosterRow],
    event: CanonicalEvent,
    ctx: Context,
    reason: Reason,
) -> list[Deliver]:
    """The copies of one sending: a manifest with counts and digest, then the parts."""
    snapshot: dict[str, Any] = record.fields["snapshot"]
    size = rule.part_rows
    parts = [rows[at : at + size] for at in range(0, len(rows), size)]
    common = {"snapshot_id": snapshot["id"], "period": snapshot["period"], "parts": len(parts)}
    bodies: list[tuple[str, dict[str, Any]]] = [
        (
            "roster.snapshot",
            {"roster": {**common, "rows": len(rows), "digest": record.digest}},
        )
    ]
    for number, part in enumerate(parts, 1):
        listed = [{"row_key": row.row_key, "uid": row.uid, **row.fields} for row in part]
        bodies.append(
            (
                "roster.part",
                {"roster": {**common, "part": number, "rows": len(part)}, "rows": listed},
            )
        )
    return [
        Deliver(
            program=rule.recipient,
            type=kind,
            cause=event.event_id,
            reason=reason,
            correlation=snapshot["id"],
            occurred_at=event.occurred_at,
            jurisdiction=ctx.profile.division,
            ordinal=f"{snapshot['id']}:{snapshot['sends']}:{number}",
            body=body,
        )
        for number, (kind, body) in enumerate(bodies)
    ]


def receipt(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """A recipient confirms a snapshot, or has something else: then it is told again.

    Raises:
        Need: the recipient's roster is not loaded.
    """
    reply = event.groups.get("reply") or {}
    recipient = event.source
    rule = next((r for r in ctx.profile.rosters if r.recipient == recipient), None)
    snapshot_id = str(reply.get("snapshot_id") or "")
    if rule is None:
        return NOTHING
    state.require(Keys(recipients=frozenset((recipient,))))
    record = state.rosters[recipient].get(f"{SNAPSHOT}{snapshot_id.rpartition(':')[2]}")
    if record is None or record.fields["snapshot"]["id"] != snapshot_id:
        return _noted(event, ctx, rule, "receipt.unknown")
    snapshot = record.fields["snapshot"]
    if event.event_id in snapshot.get("receipts", ()) or snapshot["state"] == MATCHED:
        return _noted(event, ctx, rule, "receipt.repeated")
    same = reply.get("rows") == snapshot["rows"] and reply.get("digest") == record.digest
    receipts = [*snapshot.get("receipts", ()), event.event_id]
    if same:
        closed = _changed(record, state=MATCHED, receipts=receipts, matched_at=ctx.now_ms)
        reason = _reason(event, ctx, rule, "receipt.matched", snapshot_id)
        return Decision((closed,), (), (reason,))
    return _mismatch(state, event, ctx, rule, record, receipts)


def _mismatch(
    state: State,
    event: CanonicalEvent,
    ctx: Context,
    rule: RosterRule,
    record: RosterRow,
    receipts: list[str],
) -> Decision:
    told = set((event.groups.get("reply") or {}).get("differing") or ())
    rows = state.rosters[rule.recipient]
    differing = sorted(
        key
        for key in rows
        if not key.startswith(SNAPSHOT) and told & {key, ctx.row_ref(rule.recipient, key)}
    )
    # Deltas that came since are in the rows sent again, so the count and digest are new too.
    resent = present(state, rule.recipient)
    opened = _changed(
        record,
        state=MISMATCH,
        receipts=receipts,
        differing=differing,
        rows=len(resent),
        sends=record.fields["snapshot"]["sends"] + 1,
    )
    opened.digest = roster_digest(row.digest for row in resent)
    snapshot_id = record.fields["snapshot"]["id"]
    reason = _reason(event, ctx, rule, "roster.mismatch", snapshot_id)
    notice = Deliver(
        program=ctx.profile.office,
        type="reconciliation.mismatch",
        cause=event.event_id,
        reason=reason,
        uid=next((rows[key].uid for key in differing if rows[key].uid), None),
        correlation=snapshot_id,
        occurred_at=event.occurred_at,
        jurisdiction=ctx.profile.division,
        ordinal=snapshot_id,
        body={
            "notice": {
                "rule": rule.id,
                "message_ref": event.event_id,
                "receiver": rule.recipient,
                "snapshot_id": snapshot_id,
                "rows": differing,
            }
        },
    )
    again = _reason(event, ctx, rule, "roster.resend", snapshot_id)
    copies = manifest(rule, opened, resent, event, ctx, again)
    return Decision((opened,), (notice, *copies), (reason, again))


def _changed(record: RosterRow, **fields: Any) -> RosterRow:
    return msgspec.structs.replace(
        record, fields={"snapshot": {**record.fields["snapshot"], **fields}}
    )


def _noted(event: CanonicalEvent, ctx: Context, rule: RosterRule, key: str) -> Decision:
    return Decision(because=(_reason(event, ctx, rule, key, ""),))


def _reason(
    event: CanonicalEvent, ctx: Context, rule: RosterRule, key: str, snapshot: str
) -> Reason:
    return Reason(
        rule.id,
        key,
        ctx.profile.version,
        (event.event_id,),
        {"recipient": rule.recipient, "snapshot": snapshot},
    )
