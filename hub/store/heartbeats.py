"""Heartbeats: what connectors on the departments' side tell of themselves, and what they are asked.

A command is asked once, taken with the next heartbeat and answered with a later one, so that a
page can tell what was asked from what was obeyed.
"""

from __future__ import annotations

from typing import Any

import asyncpg
import orjson

COMMANDS = ("pause", "resume", "restart", "run")
Executor = asyncpg.Connection | asyncpg.Pool


async def beat(
    executor: Executor,
    connector: str,
    *,
    instance: str,
    paused: bool,
    items: dict[str, Any],
    obeyed: list[int],
    now: int,
) -> list[tuple[int, str]]:
    """Note a heartbeat.

    Args:
        executor: Pool or connection.
        connector: Its id.
        instance: The process, so that a restart shows.
        paused: Whether it rests.
        items: Item → errors in a row, class of the last error, records sent, position.
        obeyed: Ids of commands it has carried out.
        now: ms since 1970.

    Returns:
        Commands that wait for it: id and name.
    """
    await executor.execute(
        "INSERT INTO connector_heartbeat (connector, at, instance, paused, doc)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (connector) DO UPDATE SET at = excluded.at,"
        " instance = excluded.instance, paused = excluded.paused, doc = excluded.doc",
        connector,
        now,
        instance,
        paused,
        orjson.dumps({"items": items}).decode(),
    )
    if obeyed:
        await executor.execute(
            "UPDATE connector_command SET obeyed_at = $3"
            " WHERE id = ANY($1) AND connector = $2 AND obeyed_at IS NULL",
            obeyed,
            connector,
            now,
        )
    rows = await executor.fetch(
        "UPDATE connector_command SET taken_at = coalesce(taken_at, $2)"
        " WHERE connector = $1 AND obeyed_at IS NULL RETURNING id, command",
        connector,
        now,
    )
    return sorted((row["id"], row["command"]) for row in rows)


async def ask(executor: Executor, connector: str, command: str, *, by: str, now: int) -> int:
    """Ask a connector for something.

    Raises:
        ValueError: there is no such command.
    """
    if command not in COMMANDS:
        raise ValueError(command)
    found: int = await executor.fetchval(
        "INSERT INTO connector_command (connector, command, asked_by, asked_at)"
        " VALUES ($1, $2, $3, $4) RETURNING id",
        connector,
        command,
        by,
        now,
    )
    return found


async def asked(executor: Executor, connector: str, limit: int = 8) -> list[asyncpg.Record]:
    """The last commands, the newest first: command, asked_by, asked_at, taken_at, obeyed_at."""
    return list(
        await executor.fetch(
            "SELECT id, command, asked_by, asked_at, taken_at, obeyed_at FROM connector_command"
            " WHERE connector = $1 ORDER BY id DESC LIMIT $2",
            connector,
            limit,
        )
    )
