"""Migrations: the numbered SQL files beside this module, applied in order, each once.

A file that was applied is never edited: its checksum is kept and compared at every start.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

import asyncpg

from hub.kernel.errors import ConfigurationError

_LOCK = 0x48554201
"""Advisory lock: one process migrates, the others wait for it."""


class Migration(NamedTuple):
    """One file: number, name and text."""

    number: int
    name: str
    sql: str

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
        ConfigurationError: an applied file was changed, or the database is newer than this hub.
    """
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migration (number int PRIMARY KEY, name text NOT NULL,"
            " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        rows = await connection.fetch("SELECT number, checksum FROM migration")
        return await _apply(connection, {row["number"]: row["checksum"] for row in rows})
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _apply(connection: asyncpg.Connection, applied: dict[int, str]) -> list[str]:
    ours = shipped()
    newer = set(applied) - {migration.number for migration in ours}
    if newer:
        raise ConfigurationError(
            f"The database has migration {max(newer)}, which this release does not know.",
            hint="Start the newer release of the hub.",
            message_zh=f"数据库已升级到第 {max(newer)} 号迁移,本版本不认识;请启动新版本。",
        )
    done = []
    for migration in ours:
        known = applied.get(migration.number)
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
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO migration (number, name, checksum) VALUES ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.checksum,
        )
