from __future__ import annotations

from msgspec.structs import replace
from rigs import event

OPEN = "SELECT count(*) FROM dead_letter WHERE state = 'open'"
SEEN = "SELECT count(*) FROM seen_event"


async def test_a_record_corrected_without_a_new_version_settles_its_dead_letter(rig):
    async with rig.worker(("decide",)):
        await rig.send(event(1, "bad"), event(2))
        await rig.until(SEEN, 2)
        # The rig's records are bad by their key; a real one keeps its key when it is corrected.
        await rig.db.execute("UPDATE dead_letter SET record_key = 'x-8'")
        assert await rig.db.fetchval(OPEN) == 1
        await rig.send(replace(event(8), source_record_key="x-8"))
        await rig.until(OPEN, 0)
    by = await rig.db.fetchval("SELECT settled_by FROM dead_letter")
    assert by == event(8).event_id


async def test_an_event_of_another_type_or_of_an_older_record_settles_nothing(rig):
    await rig.send(replace(event(1, "bad"), recorded=5_000))
    async with rig.worker(("decide",)):
        await rig.until(OPEN, 1)
        await rig.db.execute("UPDATE dead_letter SET record_key = 'x'")
        old = replace(event(2), source_record_key="x", recorded=4_999)
        other = replace(event(3), source_record_key="x", recorded=6_000, type="health.discharged")
        await rig.send(old, other)
        await rig.until(SEEN, 3)
        assert await rig.db.fetchval(OPEN) == 1
        await rig.send(replace(event(4), source_record_key="x", recorded=6_000))
        await rig.until(OPEN, 0)


async def test_one_batch_with_the_bad_record_and_its_correction_leaves_nothing_open(
    rig, monkeypatch
):
    import rigs

    real = rigs.decide

    def decide(state, event, ctx):
        if event.groups["stay"]["hospital"] == "bad":
            return real(state, replace(event, source_record_key="bad"), ctx)
        return real(state, event, ctx)

    monkeypatch.setattr(rigs, "decide", decide)
    bad = replace(event(1), groups={"stay": {"hospital": "bad"}}, digest=b"other")
    good = replace(event(2), source_record_key=bad.source_record_key, uid=bad.uid)
    await rig.send(bad, good)
    async with rig.worker(("decide",)):
        await rig.until(SEEN, 2)
    assert await rig.db.fetchval("SELECT state FROM dead_letter") == "settled"
