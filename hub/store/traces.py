"""Traces: everything on record about one matter, found by any of its ids.

No statement here reads a name or an ID number; persons and facts stay in their rows.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import asyncpg

Executor = asyncpg.Connection | asyncpg.Pool
Rows = list[dict[str, Any]]

LIMIT = 500
"""Rows of one kind at most."""


async def _rows(executor: Executor, sql: str, *values: Any) -> Rows:
    return [dict(row) for row in await executor.fetch(sql, *values)]


async def referrals(executor: Executor, refs: Collection[str]) -> Rows:
    """Referrals by their id, correlation or opening event."""
    return await _rows(
        executor,
        "SELECT id, program, subject_kind, episode, state, correlation, rule, opened_at, due_at,"
        " closed_reason, stop_decision, stop_state, spell_from, spell_to, history::text"
        " FROM referral WHERE id = ANY($1) OR correlation = ANY($1) OR episode = ANY($1)"
        " ORDER BY opened_at, id LIMIT $2",
        list(refs),
        LIMIT,
    )


async def work(executor: Executor, refs: Collection[str]) -> Rows:
    """Cases and tasks by their id, correlation or opening event."""
    return await _rows(
        executor,
        "SELECT 'case' AS what, id, kind, state, opened_by, correlation, opened_at, closed_at,"
        " outcome, decision_id, NULL::bigint AS due_at FROM case_file"
        " WHERE id = ANY($1) OR correlation = ANY($1) OR opened_by = ANY($1)"
        " UNION ALL SELECT 'task', id, kind, state, opened_by, correlation, opened_at, closed_at,"
        " NULL, NULL, due_at FROM task"
        " WHERE id = ANY($1) OR correlation = ANY($1) OR opened_by = ANY($1)"
        " ORDER BY opened_at, id LIMIT $2",
        list(refs),
        LIMIT,
    )


async def seen(executor: Executor, events: Collection[str]) -> Rows:
    """What became of events in Decide."""
    return await _rows(
        executor,
        "SELECT event_id::text, type, disposition, reason, part, off, at FROM seen_event"
        " WHERE event_id = ANY($1::text[]::uuid[]) ORDER BY at, event_id LIMIT $2",
        list(events),
        LIMIT,
    )


async def audit(executor: Executor, refs: Collection[str]) -> Rows:
    """Audit rows by event or correlation."""
    return await _rows(
        executor,
        "SELECT id, at, kind, actor, event_id, type,"
        " coalesce(correlation, event_id) AS correlation, doc::text FROM audit"
        " WHERE event_id = ANY($1) OR correlation = ANY($1) ORDER BY id LIMIT $2",
        list(refs),
        LIMIT,
    )


async def deliveries(executor: Executor, refs: Collection[str]) -> Rows:
    """Numbered copies by causing event or referral; the body as bytes."""
    return await _rows(
        executor,
        "SELECT d.subscription, d.generation, d.seq, d.topic, d.copy_id, d.event_id, d.type,"
        " d.created_at, d.moved_at, d.referral_id, d.fields::text, d.state, d.attempts, d.error,"
        " d.done_at, d.body, s.mode, s.sent_seq, s.acked_seq,"
        " s.generation AS current_generation FROM delivery d"
        " JOIN subscription s ON s.id = d.subscription"
        " WHERE d.event_id = ANY($1) OR d.referral_id = ANY($1)"
        " ORDER BY d.moved_at, d.subscription, d.seq LIMIT $2",
        list(refs),
        LIMIT,
    )


async def dead_letters(executor: Executor, refs: Collection[str]) -> Rows:
    """Dead letters by event or id."""
    return await _rows(
        executor,
        "SELECT id, stage, topic, part, off, source, event_id, type, code, field, detail,"
        " attempts, failed_at, state, settled_at FROM dead_letter"
        " WHERE event_id = ANY($1) OR id = ANY($1)"
        " ORDER BY failed_at, id LIMIT $2",
        list(refs),
        LIMIT,
    )
