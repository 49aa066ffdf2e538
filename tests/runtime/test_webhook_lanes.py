from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
from rigs import INBOX, copies, event, wiring

from hub.runtime.housekeeping import keep_house
from hub.runtime.services import Worker
from hub.transports.webhooks import Answer

SENT = "SELECT count(*) FROM delivery WHERE state = 'sent'"


class Receiver:
    """A receiver that answers as told, by cause; keeps what it got."""

    def __init__(self) -> None:
        self.answers: dict[str, int] = {}
        self.got: list[tuple[int, str, int]] = []
        self.after = 0
        self.hangs: set[str] = set()
        self.hanging = 0

    async def send(self, subscription, copy, headers):
        if subscription in self.hangs:
            self.hanging += 1
            await asyncio.Event().wait()
        cause = copy.body.decode()
        status = self.answers.get(cause, 200)
        self.got.append((int(dict(headers)["ce_subscriptionseq"]), cause, status))
        return Answer(status, "told to", self.after if status >= 400 else 0)


def hooked(rig, receiver):
    table = replace(wiring(), subscriptions={"alpha": (INBOX, "webhook")})
    return Worker(rig.settings, table, fatal=rig.died.append, send=receiver.send)


async def test_a_failing_person_waits_others_pass_and_the_order_is_kept(rig):
    receiver = Receiver()
    one, two = b"1" * 16, b"2" * 16
    first, second, other = event(1, uid=one), event(2, uid=one), event(3, uid=two)
    receiver.answers[first.event_id] = 500
    async with hooked(rig, receiver):
        await rig.send(first, second, other)
        await rig.until(SENT, 1)
        await asyncio.sleep(0.7)
        assert [cause for _, cause, status in receiver.got if status == 200] == [other.event_id]
        row = await rig.db.fetchrow("SELECT * FROM delivery WHERE attempts > 0 AND state <> 'sent'")
        assert (row["event_id"], row["state"], row["error"]) == (
            first.event_id, "waiting", "500 told to",
        )  # fmt: skip
        receiver.answers.clear()
        await rig.db.execute("UPDATE delivery SET next_at = 0")
        await rig.until(SENT, 3)
    told = [cause for _, cause, status in receiver.got if status == 200]
    assert told == [other.event_id, first.event_id, second.event_id]
    assert {number for number, _, _ in receiver.got} == {1, 2, 3}
    assert rig.died == []


async def test_a_refused_copy_is_parked_and_the_person_goes_on(rig):
    receiver = Receiver()
    one = b"1" * 16
    first, second = event(1, uid=one), event(2, uid=one)
    receiver.answers[first.event_id] = 422
    async with hooked(rig, receiver):
        await rig.send(first, second)
        await rig.until(SENT, 1)
    rows = await rig.db.fetch("SELECT event_id, state FROM delivery ORDER BY seq")
    assert [tuple(row) for row in rows] == [
        (first.event_id, "parked"),
        (second.event_id, "sent"),
    ]


async def test_the_order_of_a_person_behind_a_failing_copy_survives_a_restart(rig):
    receiver = Receiver()
    one = b"1" * 16
    first, second, third = (event(n, uid=one) for n in (1, 2, 3))
    receiver.answers[first.event_id] = 500
    async with hooked(rig, receiver):
        await rig.send(first, second)
        await rig.until("SELECT attempts FROM delivery WHERE seq = 1", 1)
    async with hooked(rig, receiver):
        await rig.send(third)
        await rig.until("SELECT count(*) FROM delivery", 3)
        await asyncio.sleep(0.7)
        assert {cause for _, cause, _ in receiver.got} == {first.event_id}
        receiver.answers.clear()
        await rig.db.execute("UPDATE delivery SET next_at = 0")
        await rig.until(SENT, 3)
    told = [cause for _, cause, status in receiver.got if status == 200]
    assert told == [first.event_id, second.event_id, third.event_id]


async def test_a_copy_tried_for_a_day_is_parked_and_releases_its_person(rig):
    receiver = Receiver()
    one = b"1" * 16
    first, second = event(1, uid=one), event(2, uid=one)
    receiver.answers[first.event_id] = 500
    async with hooked(rig, receiver):
        await rig.send(first, second)
        await rig.until("SELECT attempts FROM delivery WHERE seq = 1", 1)
        await rig.db.execute("UPDATE delivery SET next_at = 0, attempts = 7 WHERE seq = 1")
        await rig.until(SENT, 1)
    row = await rig.db.fetchrow("SELECT * FROM delivery WHERE seq = 1")
    assert (row["state"], row["parked"], row["attempts"]) == ("parked", "exhausted", 8)
    assert [cause for _, cause, status in receiver.got if status == 200] == [second.event_id]


async def test_the_breaker_opens_probes_alone_survives_a_restart_and_heals_in_order(rig):
    receiver = Receiver()
    events = [event(n, uid=bytes([n % 10 + 1]) * 16) for n in range(1, 31)]
    receiver.answers = {one.event_id: 503 for one in events}
    async with hooked(rig, receiver):
        await rig.send(*events)
        await rig.until("SELECT open_until > 0 FROM subscription WHERE id = 'alpha'", wanted=True)
        await rig.until("SELECT count(*) FROM delivery", 30)
        await asyncio.sleep(0.7)
        assert len(receiver.got) <= 16
        assert await rig.db.fetchval("SELECT failures FROM subscription") == 5
        # Some were given up for want of an answer while nobody was there.
        await rig.db.execute(
            "UPDATE delivery SET state = 'parked', parked = 'exhausted' WHERE attempts > 0"
        )
    tried = len(receiver.got)
    async with hooked(rig, receiver):
        await asyncio.sleep(0.7)
        assert len(receiver.got) == tried
    await rig.db.execute("UPDATE subscription SET open_until = 0")
    async with hooked(rig, receiver):
        await rig.until("SELECT failures FROM subscription", 6)
        await asyncio.sleep(0.7)
        assert len(receiver.got) == tried + 1
        receiver.answers.clear()
    await rig.db.execute("UPDATE subscription SET open_until = 0")
    async with hooked(rig, receiver):
        await rig.until(SENT, 30)
    assert await rig.db.fetchval("SELECT failures FROM subscription") == 0
    assert await rig.db.fetchval("SELECT max(heals) FROM delivery") == 1
    seqs = await rig.db.fetch("SELECT seq, person_key FROM delivery ORDER BY seq")
    persons = {row["seq"]: row["person_key"] for row in seqs}
    after = [number for number, _, status in receiver.got if status == 200]
    # The probe is a copy that was never tried; its person's earlier copies were given up then.
    for person in set(persons.values()):
        mine = [number for number in after[1:] if persons[number] == person]
        assert mine == sorted(mine)
    assert sorted(after) == list(range(1, 31))
    assert rig.died == []


async def test_a_receiver_that_asks_for_a_pause_gets_it_for_all_its_copies(rig):
    receiver = Receiver()
    events = [event(n, uid=bytes([n]) * 16) for n in range(1, 4)]
    receiver.answers[events[0].event_id] = 429
    receiver.after = 600
    async with hooked(rig, receiver):
        await rig.send(events[0])
        await rig.until("SELECT attempts FROM delivery WHERE seq = 1", 1)
        await rig.send(*events[1:])
        await rig.until("SELECT count(*) FROM delivery", 3)
        await asyncio.sleep(0.7)
        assert len(receiver.got) == 1
        left = await rig.db.fetchval("SELECT open_until FROM subscription")
        assert left > await rig.db.fetchval("SELECT max(moved_at) FROM delivery") + 500_000


async def test_a_receiver_that_never_answers_holds_up_no_other(rig):
    receiver = Receiver()
    receiver.hangs = {"alpha"}

    def twice(deliver, ctx):
        return [one for name in ("alpha", "beta") for one in named(copies(deliver, ctx), name)]

    both = {"alpha": (INBOX, "webhook"), "beta": (INBOX, "webhook")}
    table = replace(wiring(), subscriptions=both, copies=twice)
    async with Worker(rig.settings, table, fatal=rig.died.append, send=receiver.send):
        await rig.send(*(event(n, key=f"r{n}", uid=bytes([n % 90 + 1]) * 16) for n in range(200)))
        await rig.until(f"{SENT} AND subscription = 'beta'", 200)
        assert await rig.db.fetchval(f"{SENT} AND subscription = 'alpha'") == 0
        assert receiver.hanging == 16
    assert rig.died == []


def named(rows, name):
    return [msgspec.structs.replace(row, subscription=name) for row in rows]


async def test_housekeeping_is_done_by_one_process_at_a_time(rig):
    assert await keep_house(rig.settings)
    assert await rig.db.fetchval("SELECT count(*) FROM lease") == 0
    await rig.db.execute(
        "INSERT INTO lease VALUES ('job/housekeeping', 'elsewhere:1:', 1,"
        " clock_timestamp() + interval '1 hour')"
    )
    assert not await keep_house(rig.settings)
