"""Alerts on record: what waits, fires and ended, and the mutes and rule changes of people."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg
import msgspec

from hub.monitoring.alert_rules import Change
from hub.monitoring.alerts import HOUR_MS, Alert, Mute
from hub.monitoring.findings import Finding

Executor = asyncpg.Connection | asyncpg.Pool
MOST = 500
"""Alerts that are judged at once."""
KEPT_MS = 90 * 24 * HOUR_MS
_COLUMNS = (
    "rule, key, severity, finding, since_at, id, fired_at, gone_at, told_at, resolved_at,"
    " muted, held_back"
)


def _alert(row: asyncpg.Record) -> Alert:
    finding = msgspec.json.decode(row["finding"], type=Finding)
    return Alert(row["rule"], row["key"], row["severity"], finding, *tuple(row)[4:12])


async def standing(executor: Executor) -> list[Alert]:
    """Alerts that wait or fire, the oldest first."""
    rows = await executor.fetch(
        f"SELECT {_COLUMNS} FROM alert WHERE resolved_at IS NULL"  # noqa: S608 - own columns
        " ORDER BY since_at, id LIMIT $1",
        MOST,
    )
    return [_alert(row) for row in rows]


async def lock(connection: asyncpg.Connection) -> None:
    """Until the transaction ends nobody else judges."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('hub/alerts'))")


async def write(connection: asyncpg.Connection, alert: Alert) -> None:
    """Put an alert on record; a new one gets its id."""
    values = (
        alert.severity,
        msgspec.json.encode(alert.finding).decode(),
        alert.fired,
        alert.gone,
        alert.told,
        alert.resolved,
        alert.muted,
        alert.held_back,
    )
    if alert.id:
        await connection.execute(
            "UPDATE alert SET severity = $2, finding = $3, fired_at = $4, gone_at = $5,"
            " told_at = $6, resolved_at = $7, muted = $8, held_back = $9"
            " WHERE id = $1 AND resolved_at IS NULL",
            alert.id,
            *values,
        )
        return
    alert.id = await connection.fetchval(
        "INSERT INTO alert (rule, key, since_at, severity, finding, fired_at, gone_at, told_at,"
        " resolved_at, muted, held_back) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " RETURNING id",
        alert.rule,
        alert.key,
        alert.since,
        *values,
    )


async def drop(connection: asyncpg.Connection, alerts: Iterable[Alert]) -> None:
    """Forget alerts that ended before they fired."""
    await connection.execute(
        "DELETE FROM alert WHERE id = ANY($1) AND fired_at IS NULL", [one.id for one in alerts]
    )


async def told(executor: Executor, now: int) -> dict[str, int]:
    """Rule → alerts told in the last hour."""
    rows = await executor.fetch(
        "SELECT rule, count(DISTINCT alert) AS n FROM alert_notice WHERE made_at > $1"
        " AND alert IS NOT NULL GROUP BY rule",
        now - HOUR_MS,
    )
    return {row["rule"]: row["n"] for row in rows}


async def resolve(connection: asyncpg.Connection, id_: int, *, by: str, now: int) -> str | None:
    """End an alert by hand; if its cause lasts, a new one begins.

    Returns:
        Its rule; None: it did not stand.
    """
    found: str | None = await connection.fetchval(
        "UPDATE alert SET resolved_at = $2, resolved_by = $3"
        " WHERE id = $1 AND resolved_at IS NULL AND fired_at IS NOT NULL RETURNING rule",
        id_,
        now,
        by,
    )
    return found


async def history(executor: Executor, *, limit: int = 100) -> list[tuple[Alert, str]]:
    """Alerts that ended, the latest first, with who ended them."""
    rows = await executor.fetch(
        f"SELECT {_COLUMNS}, resolved_by FROM alert"  # noqa: S608 - own columns
        " WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC LIMIT $1",
        limit,
    )
    return [(_alert(row), row["resolved_by"]) for row in rows]


async def forget(connection: asyncpg.Connection, now: int) -> None:
    """Drop alerts and mutes that ended long ago."""
    await connection.execute("DELETE FROM alert WHERE resolved_at < $1", now - KEPT_MS)
    await connection.execute("DELETE FROM alert_mute WHERE to_at < $1", now - KEPT_MS)


async def mutes(executor: Executor, now: int) -> list[asyncpg.Record]:
    """Mutes that last or are to come, with id, reason and by whom."""
    rows = await executor.fetch(
        "SELECT id, rule, who, from_at, to_at, reason, by FROM alert_mute WHERE to_at > $1"
        " ORDER BY to_at LIMIT 200",
        now,
    )
    return list(rows)


def mute_of(row: asyncpg.Record) -> Mute:
    """A row as the engine takes it."""
    return Mute(row["rule"], row["who"], row["from_at"], row["to_at"])


async def mute(
    connection: asyncpg.Connection, given: Mute, *, reason: str, by: str, now: int
) -> int:
    """Keep alerts back for a while."""
    found: int = await connection.fetchval(
        "INSERT INTO alert_mute (rule, who, from_at, to_at, reason, by, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        given.rule,
        given.who,
        given.start,
        given.end,
        reason,
        by,
        now,
    )
    return found


async def unmute(connection: asyncpg.Connection, id_: int, now: int) -> None:
    """End a mute now."""
    await connection.execute(
        "UPDATE alert_mute SET to_at = $2 WHERE id = $1 AND to_at > $2", id_, now
    )


async def changes(executor: Executor) -> dict[str, Change]:
    """What was changed about rules."""
    rows = await executor.fetch("SELECT rule, change FROM alert_rule")
    return {row["rule"]: msgspec.json.decode(row["change"], type=Change) for row in rows}


async def change(
    connection: asyncpg.Connection, rule: str, given: Change, *, by: str, now: int
) -> None:
    """Change a rule."""
    await connection.execute(
        "INSERT INTO alert_rule (rule, change, by, at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (rule) DO UPDATE SET change = excluded.change, by = excluded.by,"
        " at = excluded.at",
        rule,
        msgspec.json.encode(given).decode(),
        by,
        now,
    )
