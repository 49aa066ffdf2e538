"""API keys: who may call the gateway; only digests of the tokens are kept."""

from __future__ import annotations

import asyncpg
import msgspec


class ApiKey(msgspec.Struct, frozen=True):
    """One key.

    Attributes:
        id: Number shown to people; tells nothing about the token.
        principal: ``department:health``, ``program:medical-aid`` or ``operator:name``.
        digest: SHA-256 of the token.
        created_at: ms since 1970.
        expires_at: ms since 1970, None: never.
        revoked_at: ms since 1970, None: in force.
        last_used_at: ms since 1970, to the minute; None: never.
    """

    id: str
    principal: str
    digest: bytes
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None

    def live(self, now: int) -> bool:
        """Whether it opens anything at that instant (ms)."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


Executor = asyncpg.Connection | asyncpg.Pool

_COLUMNS = "id, program, digest, created_at, expires_at, revoked_at, last_used_at"


async def add(executor: Executor, key: ApiKey) -> None:
    """Put a key on record."""
    await executor.execute(
        f"INSERT INTO api_key ({_COLUMNS}, scopes)"  # noqa: S608 - column names only
        " VALUES ($1, $2, $3, $4, $5, $6, $7, '[]')",
        *msgspec.structs.astuple(key),
    )


async def find(executor: Executor, digest: bytes) -> ApiKey | None:
    """The key with that digest."""
    row = await executor.fetchrow(
        f"SELECT {_COLUMNS} FROM api_key WHERE digest = $1",  # noqa: S608 - column names only
        digest,
    )
    return ApiKey(*row) if row else None


async def get(executor: Executor, key_id: str) -> ApiKey | None:
    """The key with that id."""
    row = await executor.fetchrow(
        f"SELECT {_COLUMNS} FROM api_key WHERE id = $1",  # noqa: S608 - column names only
        key_id,
    )
    return ApiKey(*row) if row else None


async def listed(executor: Executor) -> list[ApiKey]:
    """All keys by principal, the newest of each first."""
    rows = await executor.fetch(
        f"SELECT {_COLUMNS} FROM api_key ORDER BY program, created_at DESC"  # noqa: S608
    )
    return [ApiKey(*row) for row in rows]


async def revoke(executor: Executor, key_id: str, *, now: int) -> bool:
    """End a key for good; False: there is none of that id in force."""
    found = await executor.fetchval(
        "UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING 1",
        key_id,
        now,
    )
    return found is not None


async def used(executor: Executor, key_id: str, *, now: int) -> None:
    """Note when a key was used, so that idle ones are found."""
    await executor.execute("UPDATE api_key SET last_used_at = $2 WHERE id = $1", key_id, now)
