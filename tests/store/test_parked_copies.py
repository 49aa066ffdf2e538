from __future__ import annotations

import json

from test_deliveries import copy
from test_tries import given, hook

from hub.store import inboxes, parked, tries
from hub.store.tries import Result

ACT = {"person": "li", "reason": "the receiver is mended", "now": 9}


async def parked_first(db):
    one = await hook(db, copy(1), copy(2), copy(3, person=b"q"))
    first, other = await tries.ready(db, one, now=1, limit=9)
    refused = Result(first, tries.PARKED, 0, "404 Not Found", tries.REFUSED)
    await tries.settle(db, one, [refused, Result(other, tries.SENT)], now=2)
    (second,) = await tries.ready(db, one, now=2, limit=9)
    await tries.settle(db, one, [Result(second, tries.SENT)], now=3)
    return one


async def test_a_parked_copy_is_shown_tried_again_and_audited(db):
    one = await parked_first(db)
    (row,) = await parked.listed(db)
    assert (row.seq, row.parked, row.error, row.behind) == (1, "refused", "404 Not Found", 1)
    assert await parked.listed(db, subscription="other") == []
    assert await parked.retry(db, "medical-aid", 2, 1, **ACT) == 0
    assert await parked.retry(db, "medical-aid", 1, 1, **ACT) == 1
    assert await given(db, one, 9) == [1]
    (act,) = await db.fetch("SELECT kind, actor, doc FROM audit")
    assert (act["kind"], act["actor"]) == ("parked.retry", "li")
    assert json.loads(act["doc"])["numbers"] == ["1/1"]


async def test_what_is_given_up_stays_a_gap_that_its_receiver_can_fetch(db):
    one = await parked_first(db)
    assert await parked.give_up(db, "medical-aid", 1, 1, **ACT)
    assert not await parked.give_up(db, "medical-aid", 1, 1, **ACT)
    assert await parked.listed(db) == []
    assert await parked.retry(db, "medical-aid", None, 1, **ACT) == 0
    assert await given(db, one, 9) == []
    found = await inboxes.one(db, "medical-aid", 1, 1, now=20)
    assert found.copy_id == "id-1"
    row = await parked.one(db, "medical-aid", 1, 1)
    assert (row.state, row.closed_by, row.fetched_at) == ("given_up", "li", 20)
    assert await parked.retry(db, "medical-aid", 1, 1, **ACT) == 1
    assert await given(db, one, 9) == [1]
