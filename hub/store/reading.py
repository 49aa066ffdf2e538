"""Reading: what people look at. A trace shows every hop of a case, a referral or an event.

For a pool of its own (:func:`hub.store.connections.pool`), not for the hot path.
"""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

Source = asyncpg.Pool | asyncpg.Connection


class Hop(msgspec.Struct):
    """One step of a trace.

    Attributes:
        at: ms since 1970, by the hub's clock.
        stage: ``decide``, ``audit``, ``deliver``, ``dead_letter`` or ``timer``.
        what: Disposition, kind of audit entry, or state of the copy.
        event_id: The event this belongs to.
        type: Type of the event or copy.
        where: Topic or subscription.
        detail: What a person wants to know next; no personal data.
    """

    at: int
    stage: str
    what: str
    event_id: str
    type: str
    where: str
    detail: dict[str, Any]


class SubscriptionState(msgspec.Struct):
    """How far a subscription is."""

    id: str
    topic: str
    mode: str
    generation: int
    next_seq: int
    sent_seq: int
    acked_seq: int
    owner: str
    owned: bool
    failures: int
    open_until: int
    queued: int
    waiting: int
    parked: int


class DeadLetterView(msgspec.Struct):
    """A line of the list of dead letters, without the record's value."""

    id: str
    stage: str
    topic: str
    part: int
    off: int
    source: str
    record_key: str
    event_id: str | None
    type: str
    code: str
    category: str
    field: str
    detail: str
    attempts: int
    replays: int
    first_failed_at: int
    failed_at: int
    state: str
    settled_by: str | None
    settled_at: int | None


class ReferralView(msgspec.Struct):
    """A line of the list of referrals."""

    id: str
    program: str
    subject_kind: str
    episode: str
    state: str
    correlation: str
    rule: str
    opened_at: int
    due_at: int | None
    stop_state: str | None


class PartitionState(msgspec.Struct):
    """How far a partition was worked; the log's end is Kafka's to tell."""

    topic: str
    part: int
    epoch: int
    owner: str
    next_offset: int
    committed_at: int


_SEEN = (
    "SELECT at, disposition, event_id::text, type, part, off, reason FROM seen_event"
    " WHERE event_id = ANY($1::uuid[])"
)
_AUDIT = (
    "SELECT at, kind, event_id, type, actor, doc::text FROM audit WHERE event_id = ANY($1)"
    " ORDER BY id"
)
_COPIES = (
    "SELECT d.moved_at, d.event_id, d.type, d.subscription, d.generation, d.seq, d.copy_id,"
    " d.fields::text, d.state, d.attempts, d.error, d.done_at, d.referral_id, d.created_at,"
    " s.sent_seq, s.acked_seq FROM delivery d JOIN subscription s ON s.id = d.subscription"
    " WHERE d.event_id = ANY($1) OR d.referral_id = ANY($2)"
)
_DEAD = (
    "SELECT failed_at, state, event_id, type, stage, code, field, id FROM dead_letter"
    " WHERE event_id = ANY($1)"
)


async def trace_event(source: Source, *event_ids: str) -> list[Hop]:
    """Every hop of events and of the copies they caused, in order of time."""
    return await _trace(source, list(event_ids), [])


async def trace_referral(source: Source, referral: str) -> list[Hop]:
    """Every hop of a referral: the fact that opened its episode, and all its copies."""
    row = await source.fetchrow(
        "SELECT episode, history::text FROM referral WHERE id = $1", referral
    )
    rows = await source.fetch("SELECT event_id FROM delivery WHERE referral_id = $1", referral)
    episode = row["episode"] if row else ""
    events = {found["event_id"] for found in rows} | {episode}
    hops = await _trace(source, sorted(events), [referral])
    steps = msgspec.json.decode(row["history"]) if row else []
    hops += [
        Hop(at, "ledger", str(state), episode, "", referral, {"actor": actor, "note": note})
        for at, state, actor, note in steps
    ]
    return sorted(hops, key=lambda hop: hop.at)


async def trace_case(source: Source, correlation: str) -> list[Hop]:
    """Every hop of a matter, by its correlation id or by the id of a case."""
    case = await source.fetchrow(
        "SELECT correlation, opened_by FROM case_file WHERE id = $1", correlation
    )
    matter = case["correlation"] if case else correlation
    rows = await source.fetch(
        "SELECT event_id FROM audit WHERE correlation = $1 OR event_id = $1", matter
    )
    referrals = await source.fetch("SELECT id FROM referral WHERE correlation = $1", matter)
    events = {row["event_id"] for row in rows if row["event_id"]}
    if case:
        events.add(case["opened_by"])
    return await _trace(source, sorted(events), [row["id"] for row in referrals])


async def _trace(source: Source, events: list[str], referrals: list[str]) -> list[Hop]:
    hops = []
    for row in await source.fetch(_SEEN, [event for event in events if _is_id(event)]):
        at, what, event_id, kind, part, off, reason = row
        detail = {"partition": part, "offset": off, "reason": reason}
        hops.append(Hop(at, "decide", what, event_id, kind, kind.partition(".")[0], detail))
    for at, kind, event_id, event_type, actor, doc in await source.fetch(_AUDIT, events):
        hops.append(
            Hop(at, "audit", kind, event_id, event_type or "", actor, msgspec.json.decode(doc))
        )
    hops += map(_copy, await source.fetch(_COPIES, events, referrals))
    hops += map(_dead_letter, await source.fetch(_DEAD, events))
    return sorted(hops, key=lambda hop: hop.at)


def _is_id(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4


def _copy(row: asyncpg.Record) -> Hop:
    state = row["state"]
    if state == "cursor":
        state = "acked" if row["seq"] <= row["acked_seq"] else "numbered"
        if state == "numbered" and row["seq"] <= row["sent_seq"]:
            state = "sent"
    detail = {
        "generation": row["generation"],
        "seq": row["seq"],
        "copy_id": row["copy_id"],
        "referral_id": row["referral_id"],
        "fields": msgspec.json.decode(row["fields"]),
        "attempts": row["attempts"],
        "error": row["error"],
        "decided_at": row["created_at"],
        "done_at": row["done_at"],
    }
    return Hop(
        row["moved_at"], "deliver", state, row["event_id"], row["type"], row["subscription"], detail
    )


def _dead_letter(row: asyncpg.Record) -> Hop:
    at, state, event_id, event_type, stage, code, field, name = row
    detail = {"code": code, "field": field, "id": name}
    return Hop(at, "dead_letter", state, event_id, event_type, stage, detail)


async def subscription_states(source: Source) -> list[SubscriptionState]:
    """All subscriptions with what lies before them."""
    rows = await source.fetch(
        "SELECT s.id, s.topic, s.mode, s.generation, s.next_seq, s.sent_seq, s.acked_seq, s.owner,"
        " s.leased_until > clock_timestamp() AS owned, s.failures, s.open_until,"
        " (SELECT count(*) FROM outbox o WHERE o.subscription = s.id) AS queued,"
        " (SELECT count(*) FROM delivery d WHERE d.subscription = s.id AND d.state = 'waiting'),"
        " (SELECT count(*) FROM delivery d WHERE d.subscription = s.id AND d.state = 'parked')"
        " FROM subscription s ORDER BY s.id"
    )
    return [SubscriptionState(*row) for row in rows]


async def dead_letters(
    source: Source, *, state: str | None = "open", code: str | None = None, limit: int = 100
) -> list[DeadLetterView]:
    """Dead letters, the newest first.

    Args:
        source: Pool or connection.
        state: ``open``, ``settled``; None: all.
        code: Only this code.
        limit: How many at most.
    """
    names = ", ".join(DeadLetterView.__struct_fields__)
    rows = await source.fetch(
        f"SELECT {names} FROM dead_letter WHERE ($1::text IS NULL OR state = $1)"  # noqa: S608
        " AND ($2::text IS NULL OR code = $2) ORDER BY failed_at DESC, id LIMIT $3",
        state,
        code,
        limit,
    )
    return [DeadLetterView(*row) for row in rows]


async def dead_letter_record(
    source: Source, name: str
) -> tuple[bytes | None, bytes | None, bytes | None] | None:
    """Key, value and packed headers of a dead letter; None: no such dead letter."""
    row = await source.fetchrow("SELECT key, value, headers FROM dead_letter WHERE id = $1", name)
    return (row["key"], row["value"], row["headers"]) if row else None


async def recent_referrals(
    source: Source, *, program: str | None = None, state: str | None = None, limit: int = 100
) -> list[ReferralView]:
    """Referrals, the newest first."""
    names = ", ".join(ReferralView.__struct_fields__)
    rows = await source.fetch(
        f"SELECT {names} FROM referral WHERE ($1::text IS NULL OR program = $1)"  # noqa: S608
        " AND ($2::text IS NULL OR state = $2) ORDER BY opened_at DESC, id LIMIT $3",
        program,
        state,
        limit,
    )
    return [ReferralView(*row) for row in rows]


async def partition_states(source: Source) -> list[PartitionState]:
    """All claims."""
    rows = await source.fetch(
        "SELECT topic, part, epoch, owner, next_offset, committed_at FROM partition_claim"
        " ORDER BY topic, part"
    )
    return [PartitionState(*row) for row in rows]


async def dispositions(source: Source) -> dict[str, int]:
    """Events by what became of them: decided, filtered, dead_letter."""
    rows = await source.fetch("SELECT disposition, count(*) FROM seen_event GROUP BY 1")
    return {row[0]: row[1] for row in rows}


async def open_work(source: Source) -> dict[str, int]:
    """What has not come to its end: referrals, cases, tasks, timers, dead letters, copies."""
    row = await source.fetchrow(
        "SELECT"
        " (SELECT count(*) FROM referral WHERE state IN ('created', 'accepted')) AS referrals,"
        " (SELECT count(*) FROM case_file WHERE closed_at IS NULL) AS cases,"
        " (SELECT count(*) FROM task WHERE closed_at IS NULL) AS tasks,"
        " (SELECT count(*) FROM timer) AS timers,"
        " (SELECT count(*) FROM dead_letter WHERE state = 'open') AS dead_letters,"
        " (SELECT count(*) FROM outbox) AS queued,"
        " (SELECT count(*) FROM delivery WHERE state = 'parked') AS parked"
    )
    return dict(row) if row else {}
