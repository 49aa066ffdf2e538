"""Whether the database's disk takes anything more is asked without leaving a trace."""

from __future__ import annotations

import asyncpg

from hub.store import overviews


async def test_asking_for_room_leaves_nothing_behind(db: asyncpg.Connection):
    await overviews.take_room(db)
    await overviews.take_room(db)

    left = "SELECT count(*) FROM pg_class WHERE relname = 'hub_room'"
    assert await db.fetchval(left) == 0
    assert not db.is_in_transaction()
