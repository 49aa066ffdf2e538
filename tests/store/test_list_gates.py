"""Rows of one list are settled one after the other, whichever lanes settle them."""

from __future__ import annotations

import asyncio

from hub.model.records import ListRow
from hub.model.states import Keys
from hub.store.connections import close, connect
from hub.store.unit_of_work import Outcome, UnitOfWork

ROWS = 8


def listed(number: int) -> ListRow:
    return ListRow("office", "L-1", number, ROWS, f"e{number}", None, "poverty.relapsed", "open")


async def settle(dsn: str, number: int) -> int:
    """Add a row as a lane does; returns how many rows the lane then knows of."""
    connection = await connect(dsn)
    try:
        async with UnitOfWork(connection, now=1, subscriptions=set()) as unit:
            await connection.execute("SELECT 1")
            await unit.load(Keys(lists=frozenset({("office", "L-1")})))
            known = len(unit.state.lists["office", "L-1"])
            await asyncio.sleep(0.01)
            unit.state.apply((listed(number),))
            await unit.write(Outcome())
    finally:
        await close(connection)
    return known + 1


async def test_exactly_one_lane_finds_the_list_complete(dsn: str):
    counts = await asyncio.gather(*(settle(dsn, number) for number in range(ROWS)))
    assert sorted(counts) == list(range(1, ROWS + 1))
