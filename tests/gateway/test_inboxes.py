from __future__ import annotations

import asyncio

from copies import NAME, copy_row, deliver

from hub.contracts.codecs import decode_event


async def test_a_program_pulls_acknowledges_and_asks_for_a_gap(door):
    await deliver(door.db, *(copy_row(n) for n in range(1, 6)))
    async with door.client("program:medical-aid") as client:
        first = (await client.get("/programs/medical-aid/inbox", params={"limit": 2})).json()
        assert [copy["subscriptionseq"] for copy in first["copies"]] == [f"{n:020}" for n in (1, 2)]
        assert first["copies"][0]["data"]["id"]["name"] == NAME
        assert first["generation"] == 1
        moved = await client.post("/programs/medical-aid/ack", json={"sequence": 2})
        assert moved.json()["acknowledged"] == 2
        rest = (await client.get("/programs/medical-aid/inbox")).json()
        assert [int(copy["subscriptionseq"]) for copy in rest["copies"]] == [3, 4, 5]
        again = (await client.get("/programs/medical-aid/inbox", params={"after": 0})).json()
        assert len(again["copies"]) == 5
        gap = await client.get("/programs/medical-aid/inbox/2")
        assert gap.json()["id"] == first["copies"][1]["id"]
        missing = await client.get("/programs/medical-aid/inbox/99")
        assert (missing.status_code, missing.json()["last"]) == (404, 5)
        too_far = await client.post("/programs/medical-aid/ack", json={"sequence": 99})
        assert too_far.status_code == 409
        old = await client.post("/programs/medical-aid/ack", json={"sequence": 1, "generation": 7})
        assert old.status_code == 409


async def test_a_waiting_program_gets_the_copy_as_it_comes(door):
    async with door.client("program:medical-aid") as client:
        last = (await client.get("/programs/medical-aid/inbox")).json()["last"]
        asked = asyncio.create_task(
            client.get("/programs/medical-aid/inbox", params={"after": last, "wait": 20})
        )
        await asyncio.sleep(0.3)
        assert not asked.done()
        await deliver(door.db, copy_row(77))
        found = (await asked).json()
    assert [int(copy["subscriptionseq"]) for copy in found["copies"]] == [last + 1]


async def test_a_program_sees_no_other_programs_inbox(door):
    async with door.client("program:dibao") as client:
        for path in ("/programs/medical-aid/inbox", "/programs/medical-aid/inbox/1"):
            assert (await client.get(path)).status_code == 403
        reply = {"type": "referral.accepted", "referral_id": "r"}
        assert (await client.post("/programs/medical-aid/replies", json=reply)).status_code == 403


async def test_a_reply_becomes_an_event_on_the_programs_topic(door):
    said = {"type": "referral.accepted", "referral_id": "r-9", "handler": "0042", "reply_id": "a1"}
    async with door.client("program:medical-aid") as client:
        one = await client.post("/programs/medical-aid/replies", json=said)
        two = await client.post("/programs/medical-aid/replies", json=said)
    assert (one.status_code, one.json()) == (202, two.json())
    records = await door.records("program.medical-aid.reply")
    events = [decode_event(record.value) for record in records]
    event = next(e for e in events if e.event_id == one.json()["ce_id"])
    assert (event.type, event.source) == ("referral.accepted", "medical-aid")
    assert event.groups["reply"] == {"referral_id": "r-9", "handler": "0042"}


async def test_a_wrong_reply_is_refused_and_the_field_named(door):
    async with door.client("program:medical-aid") as client:
        for said, field in (
            ({"type": "referral.created"}, "type"),
            ({"type": "referral.accepted"}, "referral_id"),
            ({"type": "referral.accepted", "referral_id": 7}, "referral_id"),
            ({"type": "referral.accepted", "referral_id": "r", "colour": "x"}, "colour"),
            (
                {"type": "referral.accepted", "referral_id": "r", "occurred_at": "soon"},
                "occurred_at",
            ),
        ):
            answer = await client.post("/programs/medical-aid/replies", json=said)
            assert (answer.status_code, answer.json()["field"]) == (422, field)
