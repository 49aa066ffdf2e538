from __future__ import annotations

import asyncio

from hub.runtime.solitudes import Solitude


async def test_a_long_row_of_records_alone_lets_those_who_work_together_in_between():
    solitude, order = Solitude(), []

    async def alone() -> None:
        for _ in range(50):
            async with solitude.alone():
                order.append("alone")
                await asyncio.sleep(0)

    async def together() -> None:
        await asyncio.sleep(0)
        async with solitude.together():
            order.append("together")

    await asyncio.gather(alone(), alone(), together())
    assert order.index("together") < 5


async def test_whoever_is_alone_has_nobody_beside():
    solitude, inside, seen = Solitude(), [], []

    async def alone(name: str) -> None:
        async with solitude.alone():
            inside.append(name)
            await asyncio.sleep(0.01)
            seen.append(tuple(inside))
            inside.remove(name)

    async def together(name: str) -> None:
        async with solitude.together():
            inside.append(name)
            await asyncio.sleep(0.01)
            seen.append(tuple(inside))
            inside.remove(name)

    await asyncio.gather(
        together("a"), together("b"), alone("c"), together("d"), together("e"), alone("f")
    )
    assert [len(one) for one in seen if set(one) & {"c", "f"}] == [1, 1]
    assert max(map(len, seen)) == 2
