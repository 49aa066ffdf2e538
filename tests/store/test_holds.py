from __future__ import annotations

import pytest

from hub.store import claims, holds
from hub.store.connections import ConflictError, FenceError

PLACE = ("event.health", 0)


async def test_a_held_claim_is_fenced_and_taken_by_nobody_until_it_is_let_go(db, other):
    owner = (await claims.take(db, {PLACE: 5}, owner="a", now=1))[PLACE]
    (held,) = await holds.hold(other, [PLACE], person="li", now=2)
    assert (held.epoch, held.next_offset, held.held_by, held.held_at) == (2, 5, "li", 2)
    with pytest.raises(FenceError):
        async with db.transaction():
            await claims.fence(db, [(owner, 9)], now=3)
    assert await claims.take(db, {PLACE: 0}, owner="a", now=3) == {}
    assert await claims.released(db, [PLACE]) == []
    assert await holds.hold(other, [PLACE], person="wang", now=4) == []
    assert [one.held_by for one in await holds.release(other, [PLACE])] == [None]
    assert await claims.released(db, [PLACE]) == [PLACE]
    taken = (await claims.take(db, {PLACE: 0}, owner="a", now=5))[PLACE]
    assert taken.next_offset == 5
    assert await claims.released(db, [PLACE]) == []


async def test_only_a_held_claim_is_moved_and_only_from_where_it_was_read(db, other):
    await claims.take(db, {PLACE: 5}, owner="a", now=1)
    (free,) = await holds.listed(other)
    with pytest.raises(ConflictError):
        await holds.move(other, free, 9, now=2)
    (held,) = await holds.hold(other, [PLACE], person="li", now=2)
    await holds.move(other, held, 9, now=3)
    with pytest.raises(ConflictError):
        await holds.move(other, held, 11, now=4)
    assert [one.next_offset for one in await holds.listed(db, "event.health")] == [9]
