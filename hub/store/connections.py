"""Connections: how the hub talks to PostgreSQL, and which faults it rides out."""

from __future__ import annotations

from typing import Any

import asyncpg

from hub.kernel.errors import HubError

SERVER_SETTINGS = {
    "application_name": "hub",
    "jit": "off",
    # Below the consumer's session time-out, so that a process stopped inside a transaction is
    # cut before the next owner of its partitions gives up waiting.
    "idle_in_transaction_session_timeout": "4s",
    "lock_timeout": "6s",
    # A process stopped in the middle of a COPY is not idle: nothing else would cut it.
    "statement_timeout": "15s",
    # Half-open lines are found by the server too, and give their locks back.
    "tcp_user_timeout": "10s",
    # Every statement of the hot path is an index look-up; a plan made while a table was still
    # empty must not scan it later.
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
}
COMMAND_TIMEOUT = 20.0
FOR_QUEUES = {"plan_cache_mode": "force_custom_plan"}
"""Settings for whoever works off a queue. A queue is empty most of the time and is vacuumed then; a
plan kept from such a moment compares every row with every other once there is a backlog. Planning
anew costs a millisecond for up to some thousand rows."""

_FAULTS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,
    # A disk that failed, a standby that was not promoted yet, a table that was just migrated.
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
)


class ConflictError(Exception):
    """Somebody else wrote a row that this transaction had read; the batch is run again."""


class FenceError(Exception):
    """Another worker owns what this one was about to write; nothing may be written."""


async def connect(dsn: str, **server_settings: str) -> asyncpg.Connection:
    """A connection for one lane, relay or service.

    Args:
        dsn: Address of the database.
        server_settings: Settings on top of, or instead of, :data:`SERVER_SETTINGS`.
    """
    return await asyncpg.connect(
        dsn,
        server_settings=SERVER_SETTINGS | server_settings,
        command_timeout=COMMAND_TIMEOUT,
        timeout=COMMAND_TIMEOUT,
    )


async def pool(dsn: str, *, size: int = 4) -> asyncpg.Pool:
    """A pool for readers (gateway, command line); plans are made for the values asked."""
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size,
        command_timeout=COMMAND_TIMEOUT,
        server_settings={"application_name": "hub", "jit": "off"},
    )


async def lanes_pool(dsn: str, *, size: int = 4) -> asyncpg.Pool:
    """A pool for many small lanes, each of which works off a queue."""
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size,
        timeout=COMMAND_TIMEOUT,
        command_timeout=COMMAND_TIMEOUT,
        server_settings=SERVER_SETTINGS | FOR_QUEUES,
    )


def is_fault(error: BaseException) -> bool:
    """Whether the database or the way to it failed, so that trying again is right."""
    if isinstance(error, asyncpg.InterfaceError):
        # The same class tells a closed connection and a wrong argument; only the first heals.
        return "closed" in str(error) or "another operation" in str(error)
    return isinstance(error, _FAULTS)


async def cut_stalled(connection: asyncpg.Connection) -> int:
    """Cut sessions of ours that have been in the middle of a statement, waiting for their client.

    A process that was stopped inside a COPY keeps its locks: no time-out of the server ends a
    session that waits for the rest of a statement.

    Returns:
        How many.
    """
    rows = await connection.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND usename = current_user AND pid <> pg_backend_pid() AND state = 'active'"
        " AND wait_event = 'ClientRead' AND state_change < clock_timestamp() - interval '5 s'"
    )
    return len(rows)


async def close(connection: asyncpg.Connection | None) -> None:
    """Close for good, also when the server is gone."""
    if connection is None:
        return
    try:
        await connection.close(timeout=1)
    except (*_FAULTS, asyncpg.InterfaceError):
        connection.terminate()


def count_of(tag: Any) -> int:
    """Number of rows in a command tag such as ``UPDATE 3``.

    Raises:
        HubError: the tag counts nothing.
    """
    last = str(tag).rpartition(" ")[2]
    if not last.isdigit():
        raise HubError(f"PostgreSQL answered {tag!r} where a number of rows was expected.")
    return int(last)
