"""Openings: how far a roster file was loaded, as the audit of the load itself says.

An entry is written in the transaction of the households it counts, so it is never ahead of them.
"""

from __future__ import annotations

import asyncpg

LOADED = "roster_load"
"""Kind of the audit entries."""


async def through(connection: asyncpg.Connection, matter: str) -> int:
    """Households of a file that are on record, by the file's order of households.

    Args:
        connection: Any.
        matter: The content of the file, as the entries have it in ``correlation``.
    """
    found: int = await connection.fetchval(
        "SELECT coalesce(max((doc->>'through')::bigint), 0) FROM audit"
        " WHERE correlation = $1 AND kind = $2",
        matter,
        LOADED,
    )
    return found
