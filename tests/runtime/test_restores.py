"""The database is put back to an earlier moment, and the hub goes on from there."""

from __future__ import annotations

import pytest
from rigs import event, numbers

from hub.sdk.programs.sequences import Sequences
from hub.store import numberings
from hub.store.connections import connect


async def put_back(rig, dsn):
    """Go on with another database, as an operator who restored a backup does."""
    rig.settings = rig.settings.model_copy(update={"database": dsn})
    rig.db = await connect(dsn)


def number_of(record):
    headers = dict(record.headers)
    return int(headers["ce_subscriptiongen"]), int(headers["ce_subscriptionseq"])


@pytest.mark.parametrize("noticed_by", ["database", "topic"])
async def test_after_a_restore_no_number_is_used_twice_and_no_copy_is_new(
    rig, fresh_database, noticed_by
):
    async with rig.worker():
        await rig.send(*(event(n) for n in range(20)))
        await rig.until("SELECT sent_seq FROM subscription", 20)
    await rig.db.close()
    backup = await fresh_database(rig.settings.database)
    rig.db = await connect(rig.settings.database)
    async with rig.worker():
        await rig.send(*(event(n) for n in range(20, 30)))
        await rig.until("SELECT sent_seq FROM subscription", 30)
    referrals = await rig.db.fetch("SELECT id FROM referral ORDER BY 1")
    await rig.db.close()

    await put_back(rig, backup)
    if noticed_by == "topic":
        # A disk put back to a snapshot looks like the same database from inside.
        life = await rig.db.fetchval(numberings.LIFE)
        await rig.db.execute("UPDATE database_life SET life = $1", life)
    async with rig.worker():
        await rig.until("SELECT sent_seq FROM subscription WHERE generation = 2", 10)
        await rig.send(*(event(n) for n in range(30, 35)))
        await rig.until("SELECT sent_seq FROM subscription WHERE generation = 2", 15)
    assert await rig.db.fetchval("SELECT count(*) FROM referral") == 35
    again = await rig.db.fetch("SELECT id FROM referral ORDER BY 1")
    assert {row[0] for row in referrals} < {row[0] for row in again}

    records = await rig.inbox(35)
    held: dict[tuple[int, int], set[bytes]] = {}
    for record in records:
        held.setdefault(number_of(record), set()).add(dict(record.headers)["ce_id"])
    assert {len(ids) for ids in held.values()} == {1}
    assert len(records) == 45
    seen = Sequences()
    for record in records:
        seen.see(*number_of(record))
    assert (seen.generation, seen.last, seen.gaps) == (2, 15, ())
    assert len({one for ids in held.values() for one in ids}) == 35
    assert len(numbers(records)) == 30
    assert rig.died == []


async def test_what_was_numbered_before_the_restore_and_not_sent_is_sent_first(rig, fresh_database):
    async with rig.worker():
        await rig.send(*(event(n) for n in range(10)))
        await rig.until("SELECT sent_seq FROM subscription", 10)
    await rig.db.execute("UPDATE subscription SET sent_seq = 6")
    await rig.db.close()
    await put_back(rig, await fresh_database(rig.settings.database))
    async with rig.worker():
        await rig.until("SELECT generation FROM subscription", 2)
        await rig.send(event(10))
        await rig.until("SELECT sent_seq FROM subscription WHERE generation = 2", 1)
    records = await rig.inbox(11)
    wanted = [*((1, n) for n in range(1, 11)), *((1, n) for n in range(7, 11)), (2, 1)]
    assert [number_of(record) for record in records] == wanted
