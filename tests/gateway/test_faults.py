from __future__ import annotations

import httpx
from aiokafka import AIOKafkaProducer

from hub.contracts.cloudevents import event_headers
from hub.contracts.codecs import encode_event
from hub.contracts.events import CanonicalEvent
from hub.gateway.keys import development_key
from hub.gateway.servers import serving
from hub.kernel.settings import Settings

REPORT = {"report_no": "W-9", "kind": "need", "on": "2025-03-01", "id_number": "990682199001011236"}


async def test_nothing_is_accepted_while_the_broker_is_away(door, tmp_path):
    settings = door.settings.model_copy(update={"gateway_rate": 1, "data_dir": tmp_path})
    async with serving(settings, kafka="127.0.0.1:9", database=door.database) as served:
        key = development_key(settings, "department:village")
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=served.url, headers=headers) as client:
            ready = await client.get("/ready")
            assert (ready.status_code, ready.json()["broker"]) == (503, False)
            answer = await client.post("/in/village/reports", json=REPORT)
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
            assert "原样重发" in answer.json()["do_zh"]
            answers = [await client.post("/in/village/reports", json={}) for _ in range(4)]
            limited = next(answer for answer in answers if answer.status_code == 429)
            assert int(limited.headers["Retry-After"]) >= 1
            assert limited.headers["RateLimit-Remaining"] == "0"


async def test_a_database_that_is_away_is_told_and_not_a_crash(kafka, tmp_path):
    settings = Settings(data_dir=tmp_path, synthetic_people=True, gateway_port=0, database="x")
    away = "postgresql://nobody@127.0.0.1:9/none"
    async with (
        serving(settings, kafka=kafka, database=away) as served,
        httpx.AsyncClient(base_url=served.url) as client,
    ):
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/ready")).json()["database"] is False
        headers = {"Authorization": "Bearer hub_x"}
        answer = await client.post("/in/village/reports", json=REPORT, headers=headers)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_first_hop_tells_when_and_from_whom_the_event_came(door):
    event = CanonicalEvent(
        event_id="3b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f44",
        type="health.hospitalized",
        source="health",
        source_record_key="ADM-77",
        jurisdiction="320682",
        recorded=1_743_000_000_000,
        correlation_id="matter-7",
        groups={"stay": {"hospital": "人民医院"}},
    )
    async with AIOKafkaProducer(bootstrap_servers=door.kafka) as producer:
        sent = await producer.send_and_wait(
            door.settings.wire("event.health"), encode_event(event), headers=event_headers(event)
        )
    await door.db.execute(
        "INSERT INTO seen_event (month, event_id, digest, disposition, type, part, off, at)"
        " VALUES (202503, $1, 'x', 'filtered', $2, $3, $4, 1743000005000)",
        event.event_id,
        event.type,
        sent.partition,
        sent.offset,
    )
    async with door.client("operator:duty") as client:
        hops = (await client.get(f"/tracking/{event.event_id}")).json()["hops"]
    assert [hop["stage"] for hop in hops] == ["received", "canonical"]
    assert (hops[0]["id"], hops[0]["at"]) == ("ADM-77", 1_743_000_000_000)
    assert "人民医院" not in str(hops)
