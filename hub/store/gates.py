"""Gates: what several rows that may not exist yet have in common is locked by name.

The rows of one list are settled by lanes that do not see each other's uncommitted rows, and a
snapshot must not miss a delta that is being written: row locks cannot hold either, because the
row to be locked is only about to be made. Gates end with the transaction.
"""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

ROSTERS = "rosters"
"""Deltas pass this gate together, a snapshot or a receipt alone."""


async def alone(connection: asyncpg.Connection, names: Collection[str]) -> None:
    """Pass the gates alone: whoever else wants one of them waits for this transaction's end."""
    await connection.fetch(
        "SELECT pg_advisory_xact_lock(hashtextextended(name, 0))"
        " FROM unnest($1::text[]) AS name ORDER BY name",
        sorted(names),
    )


async def together(connection: asyncpg.Connection, name: str) -> None:
    """Pass a gate together with others that pass it so."""
    await connection.fetchval(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))::text", name
    )
