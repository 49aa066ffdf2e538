from __future__ import annotations

import asyncpg
from test_deliveries import copy

from hub.store import deliveries, numberings, outbox, subscriptions

MEDICAL = ("program.medical-aid.inbox", "kafka")


async def numbered(db, *numbers):
    await subscriptions.register(db, {"medical-aid": MEDICAL, "other": ("o", "pull")})
    held = await subscriptions.take(db, "me", 9)
    await outbox.write(db, [copy(n) for n in numbers])
    return await deliveries.move(db, held, limit=99, now=1)


async def declare(db):
    return await numberings.declare(db, person="li", reason="disk", now=1)


async def state(db, name="medical-aid"):
    row = await db.fetchrow(
        "SELECT generation, next_generation, next_seq FROM subscription WHERE id = $1", name
    )
    return tuple(row)


async def test_a_copy_of_the_database_is_recognised_once_and_numbers_nothing_before_it_renumbers(
    db, dsn, fresh_database
):
    assert not await numberings.recognise(db, now=1)
    await numbered(db, 1, 2)
    assert not await numberings.recognise(db, now=1)
    await db.close()
    restored = await asyncpg.connect(await fresh_database(dsn))
    try:
        assert await numberings.recognise(restored, now=2)
        assert not await numberings.recognise(restored, now=2)
        assert await state(restored) == (1, 2, 3)
        assert await state(restored, "other") == (1, None, 1)
        await outbox.write(restored, [copy(3)])
        taken = await subscriptions.take(restored, "you", 9)
        assert await deliveries.move(restored, taken, limit=9, now=2) == []
        (one,) = [s for s in taken if s.id == "medical-aid"]
        assert [c.seq for c in await deliveries.unsent(restored, one)] == [1, 2]
        assert await numberings.renumber(restored, one, now=3)
        moved = await deliveries.move(restored, taken, limit=9, now=3)
        assert [(c.generation, c.seq) for c in moved] == [(2, 1)]
        assert await numberings.ended(restored, "medical-aid", 1) == 2
        assert await numberings.ended(restored, "medical-aid", 2) is None
    finally:
        await restored.close()


async def test_a_number_out_there_that_was_never_given_starts_new_generations_everywhere(db):
    await numbered(db, 1, 2)
    held = {"medical-aid": (1, 2)}
    assert not await numberings.outrun(db, held)
    assert await numberings.outrun(db, {"medical-aid": (1, 3)})
    assert await state(db) == (1, 2, 3)
    assert not await numberings.outrun(db, {"medical-aid": (1, 3)})
    await declare(db)
    assert await state(db) == (1, 2, 3)
    assert await numberings.outrun(db, {"medical-aid": (4, 1)})
    assert await state(db) == (1, 5, 3)


async def test_a_receivers_word_counts_for_its_own_numbering_only(db):
    await subscriptions.register(db, {"other": ("o", "pull")})
    await numbered(db, 1)
    await db.execute("UPDATE subscription SET next_seq = 9 WHERE id = 'other'")
    assert not await numberings.claimed(db, "medical-aid", (1, 1))
    assert not await numberings.claimed(db, "medical-aid", (numberings.MOST + 1, 1))
    assert await numberings.claimed(db, "medical-aid", (1, 7))
    assert not await numberings.claimed(db, "medical-aid", (1, 8))
    assert await state(db) == (1, 2, 2)
    assert await state(db, "other") == (1, None, 9)


async def test_an_overtaken_relay_renumbers_nothing(db):
    await numbered(db, 1)
    await declare(db)
    (one,) = [s for s in await subscriptions.take(db, "me", 9) if s.id == "medical-aid"]
    await db.execute("UPDATE subscription SET epoch = epoch + 1")
    assert not await numberings.renumber(db, one, now=1)
    assert await state(db) == (1, 2, 2)


async def test_acknowledgements_never_move_back_over_generations(db):
    await numbered(db, 1, 2)
    assert await subscriptions.acked(db, "medical-aid", 2)
    assert await declare(db) == 1
    for one in await subscriptions.take(db, "me", 9, held=["other"]):
        assert await numberings.renumber(db, one, now=1)
    acked = "SELECT acked_generation, acked_seq FROM subscription WHERE id = 'medical-aid'"
    assert tuple(await db.fetchrow(acked)) == (1, 2)
    assert not await subscriptions.acked(db, "medical-aid", 1)
    assert await subscriptions.acked(db, "medical-aid", 5, 1)
    assert tuple(await db.fetchrow(acked)) == (1, 5)
    await db.execute("UPDATE subscription SET next_seq = 3")
    assert await subscriptions.acked(db, "medical-aid", 1)
    assert await subscriptions.acked(db, "medical-aid", 6, 1)
    assert tuple(await db.fetchrow(acked)) == (2, 1)
