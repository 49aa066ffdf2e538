from __future__ import annotations

import asyncio
from dataclasses import replace

from rigs import INBOX, event, wiring

from hub.runtime.housekeeping import keep_house
from hub.runtime.services import Worker
from hub.transports.webhooks import Answer

SENT = "SELECT count(*) FROM delivery WHERE state = 'sent'"


class Receiver:
    """A receiver that answers as told, by cause; keeps what it got."""

    def __init__(self) -> None:
        self.answers: dict[str, int] = {}
        self.got: list[tuple[int, str, int]] = []

    async def send(self, subscription, copy, headers):
        cause = copy.body.decode()
        status = self.answers.get(cause, 200)
        self.got.append((int(dict(headers)["ce_subscriptionseq"]), cause, status))
        return Answer(status, "told to")


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


async def test_the_breaker_opens_after_failures_in_a_row_and_is_kept(rig):
    receiver = Receiver()
    events = [event(n, uid=bytes([n]) * 16) for n in range(1, 31)]
    receiver.answers = {one.event_id: 503 for one in events}
    async with hooked(rig, receiver):
        await rig.send(*events)
        opened = "SELECT open_until > 0 FROM subscription WHERE id = 'alpha'"
        await rig.until(opened, wanted=True)
        await asyncio.sleep(0.7)
        assert len(receiver.got) < 30
        assert await rig.db.fetchval("SELECT failures FROM subscription") >= 5
        receiver.answers.clear()
    # The breaker's state and the copies outlive the worker; the clock has to get there.
    await rig.db.execute("UPDATE subscription SET open_until = 0")
    await rig.db.execute("UPDATE delivery SET next_at = 0")
    async with hooked(rig, receiver):
        await rig.until(SENT, 30)
    assert await rig.db.fetchval("SELECT failures FROM subscription") == 0


async def test_housekeeping_is_done_by_one_process_at_a_time(rig):
    assert await keep_house(rig.settings)
    assert await rig.db.fetchval("SELECT count(*) FROM lease") == 0
    await rig.db.execute(
        "INSERT INTO lease VALUES ('job/housekeeping', 'elsewhere:1:', 1,"
        " clock_timestamp() + interval '1 hour')"
    )
    assert not await keep_house(rig.settings)
