"""Migrations: the numbered SQL files beside this module, applied in order, each once.

A file that was applied is never edited: its checksum is kept and compared at every start. A file
whose first line is ``-- expand`` only adds: the release before it runs on the changed tables, so
workers are exchanged one at a time, in either direction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

import asyncpg

from hub.kernel.errors import ConfigurationError

EXPAND = "expand"
"""Releases that do not know the migration run on."""
CONTRACT = "contract"
"""Releases that do not know it must not start."""

_LOCK = 0x48554201
"""Advisory lock: one process migrates, the others wait for it."""
_SECONDS = 3600.0
"""How long one file may take; a large table gets its index in minutes."""


class Migration(NamedTuple):
    """One file: number, name and text."""

    number: int
    name: str
    sql: str

    @property
    def kind(self) -> str:
        """:data:`EXPAND` or :data:`CONTRACT`."""
        return EXPAND if self.sql.startswith("-- expand\n") else CONTRACT

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def shipped() -> list[Migration]:
    """The migrations of this release, in order."""
    found = [
        Migration(int(entry.name[:4]), entry.name, entry.read_text(encoding="utf-8"))
        for entry in files(__name__).iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found)


async def migrate(connection: asyncpg.Connection) -> list[str]:
    """Bring the database to this release.

    Returns:
        Names of the files applied now.

    Raises:
        ConfigurationError: an applied file was changed, or the database has a newer migration
            that does not only add.
    """
    # Another process may be migrating, and a large table takes its time.
    await connection.execute("SET lock_timeout = 0; SET statement_timeout = 0")
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK, timeout=_SECONDS)
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migration (number int PRIMARY KEY, name text NOT NULL,"
            " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        await connection.execute(
            "ALTER TABLE migration ADD COLUMN IF NOT EXISTS"
            f" kind text NOT NULL DEFAULT '{CONTRACT}'"
        )
        newest = blocking(await _applied(connection))
        if newest is not None:
            raise ConfigurationError(
                f"The database has migration {newest}, which this release does not know.",
                hint="Start the newer release of the hub.",
                message_zh=f"数据库已升级到第 {newest} 号迁移,本版本不认识;请启动新版本。",
            )
        return await _apply(connection)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)
        await connection.execute("RESET lock_timeout; RESET statement_timeout")


def blocking(applied: Mapping[int, str]) -> int | None:
    """The newest migration that this release does not know and must not run on; None: no such.

    Args:
        applied: Number → kind.
    """
    ours = {migration.number for migration in shipped()}
    return max((n for n, kind in applied.items() if n not in ours and kind != EXPAND), default=None)


async def applied(connection: asyncpg.Connection) -> dict[int, str]:
    """Migrations on record, number → kind; none in an empty database."""
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return {}
    return await _applied(connection)


async def _applied(connection: asyncpg.Connection) -> dict[int, str]:
    # Read as JSON: a database that was never migrated by this release has no column ``kind``.
    rows = await connection.fetch(
        "SELECT number, coalesce(to_jsonb(m) ->> 'kind', $1) FROM migration m", CONTRACT
    )
    return {row[0]: row[1] for row in rows}


async def _apply(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("SELECT number, checksum FROM migration")
    checksums = {row["number"]: row["checksum"] for row in rows}
    done = []
    for migration in shipped():
        known = checksums.get(migration.number)
        if known is None:
            await _run(connection, migration)
            done.append(migration.name)
        elif known != migration.checksum:
            raise ConfigurationError(
                f"The migration {migration.name} was changed after it had been applied.",
                hint="Restore the file and write a new migration.",
                message_zh=f"迁移文件 {migration.name} 应用后被改动;请恢复原文件,另写新迁移。",
            )
    return done


async def _run(connection: asyncpg.Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql, timeout=_SECONDS)
        await connection.execute(
            "INSERT INTO migration (number, name, checksum, kind) VALUES ($1, $2, $3, $4)",
            migration.number,
            migration.name,
            migration.checksum,
            migration.kind,
        )
