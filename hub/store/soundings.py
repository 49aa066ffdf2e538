"""Soundings: what the sampler asks the database every few seconds; figures and ids only.

Each question stands alone and is bounded, so that a slow one costs a part of a picture, not the
picture.
"""

from __future__ import annotations

from typing import Any

import asyncpg

Rows = list[asyncpg.Record]


async def claims(db: asyncpg.Connection) -> Rows:
    """Every claim: topic, part, owner, next_offset, committed_at."""
    return list(
        await db.fetch(
            "SELECT topic, part, owner, epoch, next_offset, committed_at, held_by"
            " FROM partition_claim"
        )
    )


async def subscriptions(db: asyncpg.Connection) -> Rows:
    """Every program's subscription with what lies before it, and when the oldest was made."""
    return list(
        await db.fetch(
            "SELECT s.id, s.mode, s.generation, s.next_seq, s.sent_seq, s.acked_seq, s.failures,"
            " s.open_until, s.owner, s.leased_until > clock_timestamp() AS owned,"
            " o.count AS queued, o.oldest AS queued_oldest, d.waiting, d.parked, d.oldest,"
            " u.unfetched_oldest"
            " FROM subscription s"
            " LEFT JOIN LATERAL (SELECT count(*), min(created_at) AS oldest FROM outbox"
            "  WHERE subscription = s.id) o ON true"
            " LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,"
            "  count(*) FILTER (WHERE state = 'parked') AS parked,"
            "  min(created_at) FILTER (WHERE state = 'waiting') AS oldest FROM delivery"
            "  WHERE subscription = s.id AND generation = s.generation"
            "  AND state IN ('waiting', 'parked')) d ON true"
            " LEFT JOIN LATERAL (SELECT created_at AS unfetched_oldest FROM delivery"
            "  WHERE subscription = s.id AND generation = s.generation AND seq > s.acked_seq"
            "  AND s.mode = 'pull' ORDER BY seq LIMIT 1) u ON true"
            " WHERE s.topic LIKE 'program.%' ORDER BY s.id"
        )
    )


async def letters(db: asyncpg.Connection) -> Rows:
    """Open dead letters by code and source."""
    return list(
        await db.fetch(
            "SELECT code, source, count(*) AS count, min(first_failed_at) AS first,"
            " max(failed_at) AS last FROM dead_letter WHERE state = 'open' GROUP BY 1, 2"
        )
    )


async def heartbeats(db: asyncpg.Connection) -> Rows:
    """The last heartbeat of every connector."""
    return list(
        await db.fetch("SELECT connector, at, instance, paused, doc FROM connector_heartbeat")
    )


async def maintenance(db: asyncpg.Connection, since: int) -> Rows:
    """Planned maintenance that ends after an instant."""
    return list(
        await db.fetch("SELECT department, from_at, to_at FROM maintenance WHERE to_at > $1", since)
    )


async def leases(db: asyncpg.Connection) -> Rows:
    """Leases that run: name and owner."""
    return list(await db.fetch("SELECT name, owner FROM lease WHERE until > clock_timestamp()"))


async def open_work(db: asyncpg.Connection, now: int) -> dict[str, int]:
    """What is open, by kind, and how much of it is past its clock."""
    row = await db.fetchrow(
        "SELECT"
        " (SELECT count(*) FROM referral WHERE state IN ('created', 'accepted')) AS referrals,"
        " (SELECT count(*) FROM referral WHERE state IN ('created', 'accepted') AND due_at < $1)"
        " AS referrals_late, (SELECT count(*) FROM task WHERE closed_at IS NULL) AS tasks,"
        " (SELECT count(*) FROM task WHERE closed_at IS NULL AND due_at < $1) AS tasks_late,"
        " (SELECT count(*) FROM case_file WHERE closed_at IS NULL) AS cases",
        now,
    )
    return {key: int(value) for key, value in dict(row or {}).items()}


async def spans(db: asyncpg.Connection, since: int, limit: int = 2000) -> Rows:
    """Instants of the copies that were made lately, the newest first."""
    return list(
        await db.fetch(
            "SELECT occurred_at, created_at, moved_at, done_at, referral_id FROM delivery"
            " WHERE moved_at > $1 ORDER BY moved_at DESC LIMIT $2",
            since,
            limit,
        )
    )


async def accepted(db: asyncpg.Connection, since: int, limit: int = 500) -> list[int]:
    """Spans (ms) from a referral's opening to its acceptance, of those opened lately."""
    rows = await db.fetch(
        "SELECT (step ->> 0)::bigint - r.opened_at AS span FROM ("
        " SELECT opened_at, history FROM referral WHERE opened_at > $1"
        " ORDER BY opened_at DESC LIMIT $2) r,"
        " json_array_elements(r.history) AS step WHERE step ->> 1 = 'accepted'",
        since,
        limit,
    )
    return [row["span"] for row in rows]


async def decided(db: asyncpg.Connection, events: list[str]) -> dict[str, int]:
    """When events were decided, ms since 1970, for those that are."""
    rows = await db.fetch(
        "SELECT event_id::text, at FROM seen_event WHERE event_id = ANY($1::text[]::uuid[])",
        events[-500:],
    )
    return {row["event_id"]: row["at"] for row in rows}


async def server(db: asyncpg.Connection) -> dict[str, Any]:
    """The database's own figures; ms where they are spans."""
    row = await db.fetchrow(
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
        " AS connections, current_setting('max_connections')::int AS connections_most,"
        " (SELECT (extract(epoch FROM max(clock_timestamp() - xact_start)) * 1000)::bigint"
        "  FROM pg_stat_activity WHERE datname = current_database()"
        "  AND pid <> pg_backend_pid()) AS oldest_transaction,"
        " (SELECT count(*) FROM pg_locks WHERE NOT granted) AS locks_waiting,"
        " pg_database_size(current_database()) AS database_bytes,"
        " (SELECT (extract(epoch FROM max(replay_lag)) * 1000)::bigint FROM pg_stat_replication)"
        " AS replication_late, (SELECT count(*) FROM outbox) AS outbox,"
        " (SELECT min(created_at) FROM outbox) AS outbox_oldest"
    )
    return dict(row or {})


Source = asyncpg.Connection | asyncpg.Pool


async def parked(db: Source, program: str, limit: int = 50) -> Rows:
    """Copies of a program that were set aside, with the reason; never their content."""
    return list(
        await db.fetch(
            "SELECT generation, seq, type, event_id, error, parked, attempts, done_at, created_at"
            " FROM delivery WHERE subscription = $1 AND state = 'parked'"
            " ORDER BY generation, seq LIMIT $2",
            program,
            limit,
        )
    )


async def answers(db: Source, program: str) -> Rows:
    """Referrals of a program by state."""
    return list(
        await db.fetch(
            "SELECT state, count(*) AS count FROM referral WHERE program = $1"
            " GROUP BY 1 ORDER BY 1",
            program,
        )
    )


async def numberings(db: Source, program: str) -> Rows:
    """Generations of a program's numbers that ended, with the reason."""
    return list(
        await db.fetch(
            "SELECT generation, last_seq, ended_at, why FROM numbering WHERE subscription = $1"
            " ORDER BY generation DESC",
            program,
        )
    )


async def alarms(db: Source, limit: int = 50) -> Rows:
    """Alarms, those that stand first, then the latest."""
    return list(
        await db.fetch(
            "SELECT kind, place, detail, first_at, last_at, count, cleared_at FROM alarm"
            " ORDER BY cleared_at IS NOT NULL, last_at DESC LIMIT $1",
            limit,
        )
    )


async def crashes(db: Source, limit: int = 20) -> Rows:
    """The last crashes, one line per error: class and place, how often, where last."""
    return list(
        await db.fetch(
            "SELECT error, sum(count)::int AS count, max(at) AS last_at,"
            " (array_agg(topic || '/' || part || '@' || off ORDER BY at DESC))[1] AS place"
            " FROM crash GROUP BY error ORDER BY last_at DESC LIMIT $1",
            limit,
        )
    )


async def crashes_since(db: Source, at: int, limit: int) -> Rows:
    """Records that crashed a worker, from an instant on, the latest first."""
    return list(
        await db.fetch(
            "SELECT at, error, topic, part, off, count FROM crash WHERE at >= $1"
            " ORDER BY at DESC LIMIT $2",
            at,
            limit,
        )
    )


async def tables(db: Source, limit: int = 12) -> Rows:
    """The largest tables: bytes, rows, dead rows."""
    return list(
        await db.fetch(
            "SELECT relname, pg_total_relation_size(relid) AS bytes, n_live_tup, n_dead_tup"
            " FROM pg_stat_user_tables ORDER BY 2 DESC LIMIT $1",
            limit,
        )
    )


async def retrying(db: Source, now: int, limit: int = 100) -> Rows:
    """Copies that failed and are tried again, by program and number of tries: next due, count."""
    return list(
        await db.fetch(
            "SELECT subscription, attempts, count(*) AS count, min(next_at) AS next_at,"
            " min(created_at) AS oldest, max(error) AS error FROM delivery"
            " WHERE state = 'waiting' AND attempts > 0 AND created_at <= $1"
            " GROUP BY 1, 2 ORDER BY 1, 2 LIMIT $2",
            now,
            limit,
        )
    )


async def held_persons(db: Source) -> Rows:
    """Persons whose later copies wait behind a failing one, by program: count, oldest."""
    return list(
        await db.fetch(
            "SELECT subscription, count(DISTINCT person_key) AS persons, count(*) AS copies,"
            " min(created_at) AS oldest FROM delivery d WHERE state = 'waiting' AND EXISTS ("
            " SELECT FROM delivery e WHERE e.subscription = d.subscription"
            " AND e.person_key = d.person_key AND e.state = 'waiting' AND e.attempts > 0"
            " AND (e.generation, e.seq) < (d.generation, d.seq)) GROUP BY 1 ORDER BY 1"
        )
    )
