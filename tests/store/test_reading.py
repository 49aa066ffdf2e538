from __future__ import annotations

from hub.model.outbox import OutboxRow
from hub.model.records import Referral
from hub.store import deliveries, overviews, reading, seen, subscriptions, traces
from hub.store.audit import AuditRow
from hub.store.unit_of_work import Outcome, UnitOfWork

EVENT = "0b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f41"


async def test_a_trace_shows_every_hop_of_a_referral(db):
    async with UnitOfWork(db, now=5, subscriptions=set()) as unit:
        referral = Referral(
            "r1", "alpha", "person", "x", EVENT, None, None, "created", "matter", "RG-1", 5,
            history=[[5, "created", "hub", ""]],
        )  # fmt: skip
        unit.state.apply((referral,))
        copy = OutboxRow(
            "alpha", "program.alpha.inbox", "c1", b"", b"\x90", b"b", None, EVENT,
            "referral.created", 5, "r1", ["id.name"],
        )  # fmt: skip
        doc = '{"because": [["RG-1", "k", "1", []]]}'
        entry = AuditRow("decision", "hub", EVENT, "health.hospitalized", None, None, "matter", doc)
        row = seen.Seen(
            202504, EVENT, b"1", seen.DECIDED, None, "health.hospitalized", 0, 7, "health"
        )
        await unit.write(Outcome(seen=[row], outbox=[copy], audit=[entry]))
    (one,) = await subscriptions.take(db, "me", 9)
    await deliveries.move(db, [one], limit=9, now=6)
    (row,) = await traces.referrals(db, {"matter"})
    assert (row["id"], row["correlation"]) == ("r1", "matter")
    assert [row["disposition"] for row in await traces.seen(db, {EVENT})] == [seen.DECIDED]
    assert [row["kind"] for row in await traces.audit(db, {"matter"})] == ["decision"]
    (copy_row,) = await traces.deliveries(db, {"r1"})
    assert (copy_row["seq"], copy_row["fields"]) == (1, '["id.name"]')
    assert copy_row["sent_seq"] < copy_row["seq"]
    await subscriptions.sent(db, {"alpha": (one.epoch, 1)})
    (copy_row,) = await traces.deliveries(db, {"r1"})
    assert copy_row["sent_seq"] == copy_row["seq"]
    assert await traces.referrals(db, {"unknown"}) == []
    (state,) = await reading.subscription_states(db)
    assert (state.id, state.next_seq, state.sent_seq, state.owned) == ("alpha", 2, 1, True)
    assert [view.id for view in await reading.recent_referrals(db, program="alpha")] == ["r1"]
    (open_row,) = await overviews.open_work(db)
    assert (open_row["what"], open_row["kind"], open_row["count"]) == ("referral", "alpha", 1)
    assert await reading.partition_states(db) == []
