from __future__ import annotations

import asyncio

import msgspec

from hub.model.outbox import OutboxRow
from hub.store import dead_letters, deliveries, outbox, subscriptions
from hub.store.connections import FOR_QUEUES, connect


def copy(number, subscription="medical-aid", person=b"p"):
    return OutboxRow(
        subscription,
        f"program.{subscription}.inbox",
        f"id-{number}",
        b"k",
        b"\x90",
        b"body",
        person,
        f"e-{number}",
        "referral.created",
        1,
        f"r-{number}",
        ["id.name"],
    )


async def own(db, owner="me"):
    await subscriptions.ensure(db, {"medical-aid": "program.medical-aid.inbox", "other": "o"})
    return await subscriptions.take(db, owner, 9)


async def test_numbers_are_gapless_and_in_the_order_of_the_outbox(db):
    held = await own(db)
    await outbox.write(db, [copy(n) for n in range(5)])
    first = await deliveries.move(db, held, limit=3, now=2)
    second = await deliveries.move(db, held, limit=9, now=2)
    assert [(c.seq, c.copy_id) for c in first + second] == [(n + 1, f"id-{n}") for n in range(5)]
    assert await outbox.waiting(db) == {}
    (one,) = [s for s in held if s.id == "medical-aid"]
    assert [c.seq for c in await deliveries.unsent(db, one)] == [1, 2, 3, 4, 5]
    await subscriptions.sent(db, {"medical-aid": (one.epoch, 4)})
    assert await subscriptions.acked(db, "medical-aid", 4)
    assert not await subscriptions.acked(db, "medical-aid", 6)


async def test_of_a_backlog_after_an_empty_queue_only_what_is_moved_is_read(dsn, db):
    relay = await connect(dsn, **FOR_QUEUES)
    held = await own(relay)
    await outbox.write(db, [copy(n) for n in range(3)])
    await deliveries.move(relay, held, limit=9, now=1)
    await db.execute("VACUUM ANALYZE outbox")
    # The plan of this moment, for an empty table, must not be the one for what follows.
    await deliveries.move(relay, held, limit=9, now=1)
    await outbox.write(db, [copy(n) for n in range(3000)])
    async with relay.transaction():
        assert len(await deliveries.move(relay, held, limit=500, now=1)) == 500
        read = await relay.fetchval(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
            " WHERE relname = 'outbox'"
        )
    await relay.close()
    assert read <= 1500


async def test_a_relay_that_was_overtaken_moves_and_marks_nothing(db, other):
    zombie = await own(db)
    await db.execute("UPDATE subscription SET leased_until = '-infinity'")
    owner = await own(other, "you")
    assert len(owner) == 2
    await outbox.write(db, [copy(1)])
    assert await deliveries.move(db, zombie, limit=9, now=1) == []
    assert await subscriptions.renew(db, zombie, seconds=9) == set()
    await subscriptions.sent(db, {"medical-aid": (zombie[0].epoch, 7)})
    assert await db.fetchval("SELECT max(sent_seq) FROM subscription") == 0
    assert len(await deliveries.move(other, owner, limit=9, now=1)) == 1


async def test_two_relays_at_once_leave_no_gap(db, other):
    held = await own(db)
    await outbox.write(db, [copy(n) for n in range(200)])
    both = await asyncio.gather(
        *(deliveries.move(c, held, limit=40, now=1) for c in (db, other) for _ in range(1))
    )
    moved = sorted(c.seq for part in both for c in part)
    while rest := await deliveries.move(db, held, limit=40, now=1):
        moved += [c.seq for c in rest]
    assert moved == list(range(1, 201))


async def test_a_dead_letter_keeps_its_first_failure_and_is_settled_by_the_corrected_record(db):
    row = dead_letters.DeadLetterRow(
        dead_letters.id_of("event.health", 0, 7), "decide", "event.health", 0, 7, "health", "R-1",
        "e-1", "health.hospitalized", "c", "E-DATE", "schema", "stay.from", "", None, b"v", None,
        1, 10,
    )  # fmt: skip
    await dead_letters.write(db, [row, row])
    await dead_letters.write(db, [msgspec.structs.replace(row, failed_at=20)])
    found = await db.fetchrow("SELECT * FROM dead_letter")
    assert (found["first_failed_at"], found["failed_at"], found["attempts"]) == (10, 20, 2)
    await dead_letters.settle(
        db, [dead_letters.Settling("health", "R-1", "e-2", "health.hospitalized", 30)], now=30
    )
    found = await db.fetchrow("SELECT * FROM dead_letter")
    assert (found["state"], found["settled_by"], found["settled_at"]) == ("settled", "e-2", 30)
