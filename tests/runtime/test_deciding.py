from __future__ import annotations

import asyncio

from msgspec.structs import replace
from rigs import INBOX, RAW, TOPIC, event, numbers

COUNT = "SELECT count(*) FROM referral"
SEEN = "SELECT count(*) FROM seen_event"


async def test_a_fact_travels_from_raw_record_to_the_program(rig):
    async with rig.worker():
        await rig.send(*(event(n) for n in range(30)), topic=RAW)
        records = await rig.inbox(30)
    assert sorted(numbers(records)) == list(range(1, 31))
    assert await rig.db.fetchval(COUNT) == 30
    assert await rig.db.fetchval("SELECT sent_seq FROM subscription") == 30
    assert await rig.db.fetchval("SELECT sum(next_offset) FROM partition_claim") == 60
    assert rig.died == []


async def test_a_repeat_is_dropped_and_other_content_under_one_key_is_a_dead_letter(rig):
    async with rig.worker(("decide",)):
        await rig.send(event(1), event(1), event(2))
        await rig.until(SEEN, 2)
        await rig.send(event(2), event(2, content=9))
        await rig.until("SELECT count(*) FROM dead_letter", 1)
    assert await rig.db.fetchval(COUNT) == 2
    assert await rig.db.fetchval("SELECT code FROM dead_letter") == "E-CHANGED-WITHOUT-VERSION"


async def test_bad_events_cost_only_themselves(rig):
    bad = [event(1, "bad"), event(2, "late"), event(3, "quiet"), b"not avro"]
    await rig.send(event(1), bad[0], event(2), bad[1], bad[2], event(3), bad[3])
    async with rig.worker(("decide",)):
        await rig.until(SEEN, 6)
        await rig.until("SELECT count(*) FROM dead_letter", 3)
    assert await rig.db.fetchval(COUNT) == 3
    rows = await rig.db.fetch("SELECT disposition, reason FROM seen_event ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [
        ("dead_letter", "E-AMOUNT"),
        ("dead_letter", "E-DATE"),
        ("decided", None),
        ("decided", None),
        ("decided", None),
        ("filtered", "nothing_to_do"),
    ]
    # The event that failed half-way left no fact behind.
    facts = await rig.db.fetchval("SELECT sum(json_array_length(facts)) FROM person")
    assert facts == 3


async def test_a_refused_event_is_a_dead_letter_and_whoever_must_know_is_told(rig):
    refused = event(2, "refused")
    await rig.send(event(1), refused, event(3))
    async with rig.worker(("decide",)):
        await rig.until(SEEN, 3)
    assert await rig.db.fetchval(COUNT) == 2
    letter = await rig.db.fetchrow("SELECT event_id, code FROM dead_letter")
    told = await rig.db.fetchrow("SELECT event_id, type FROM outbox WHERE type LIKE 'audit.%'")
    kind = await rig.db.fetchval("SELECT kind FROM audit WHERE event_id = $1", refused.event_id)
    assert tuple(letter) == (refused.event_id, "E-EFFECT-WITHOUT-DECISION")
    assert tuple(told) == (refused.event_id, "audit.violation")
    assert kind == "dead_letter"
    assert rig.died == []


async def test_values_that_the_database_cannot_keep_are_dead_letters(rig):
    odd = [
        replace(event(1), source_record_key="a\0b", groups={"stay": {"hospital": "x"}}),
        replace(event(2), event_id="not-a-uuid"),
        replace(event(3), occurred_at=2**62),
        replace(event(4), correlation_id="c\0d", household="H\0"),
    ]
    await rig.send(event(5), *odd, event(6))
    async with rig.worker(("decide",)):
        await rig.until(COUNT, 4)
        await rig.until("SELECT count(*) FROM dead_letter", 2)
    assert rig.died == []
    codes = await rig.db.fetch("SELECT DISTINCT code FROM dead_letter")
    assert [row[0] for row in codes] == ["E-SCHEMA-BODY"]


async def test_a_batch_is_written_whole_or_not_at_all(rig):
    await rig.db.execute("ALTER TABLE outbox ADD CONSTRAINT full_disk CHECK (type = 'x') NOT VALID")
    await rig.send(event(1), event(2))
    async with rig.worker(("decide",)):
        for _ in range(60):
            if rig.died:
                break
            await asyncio.sleep(0.1)
    assert rig.died
    assert await rig.db.fetchval(COUNT) == 0
    assert await rig.db.fetchval(SEEN) == 0
    assert await rig.db.fetchval("SELECT sum(next_offset) FROM partition_claim") == 0


async def test_the_third_crash_at_an_event_sets_it_aside_and_the_partition_goes_on(rig):
    uid = b"p" * 16
    await rig.send(event(1, uid=uid), event(2, "crash", uid=uid), event(3, uid=uid))
    for _ in range(2):
        process = await rig.process("decide")
        assert await asyncio.wait_for(process.wait(), 20) == 70
    assert await rig.db.fetchval("SELECT count FROM crash") == 2
    async with rig.worker(("decide",)):
        await rig.until(COUNT, 2)
    found = await rig.db.fetchrow("SELECT code, category, event_id FROM dead_letter")
    assert tuple(found) == ("E-BUG", "bug", event(2, "crash").event_id)
    assert rig.died == []


async def test_intake_buries_junk_and_what_crashed_it_three_times(rig):
    await rig.send(b"junk", event(1), b"boom", event(2), topic=RAW)
    for _ in range(2):
        async with rig.worker(("intake",)):
            for _ in range(100):
                if rig.died:
                    break
                await asyncio.sleep(0.05)
        assert rig.died.pop().startswith("crash")
    async with rig.worker(("intake", "decide")):
        await rig.until(COUNT, 2)
        dead = await rig.inbox(2, f"dlq.hub.{RAW}")
    codes = {dict(record.headers)["hub.dlq.code"] for record in dead}
    assert codes == {b"E-JSON", b"E-BUG"}


async def test_a_claim_below_the_log_stops_the_partition_with_an_alarm(rig):
    await rig.db.execute(
        "INSERT INTO partition_claim VALUES ($1, 0, 1, 'x', 999, 0)", rig.settings.wire(TOPIC)
    )
    async with rig.worker(("decide",)) as worker:
        for _ in range(100):
            if worker.progress[0].stopped:
                break
            await asyncio.sleep(0.1)
        assert worker.progress[0].stopped == {
            (rig.settings.wire(TOPIC), 0): "claim 999 outside the log 0..0"
        }


async def test_health_pages_tell_claims_and_metrics(rig):
    import httpx

    async with (
        rig.worker(health=("127.0.0.1", 0)) as worker,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{worker.health.port}") as http,
    ):
        for _ in range(100):
            if (await http.get("/ready")).status_code == 200:
                break
            await asyncio.sleep(0.1)
        assert (await http.get("/health")).json()["stages"]["decide"]["ready"]
        assert "hub_events_total" in (await http.get("/metrics")).text
    assert INBOX
