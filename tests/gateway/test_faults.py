from __future__ import annotations

import asyncio

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from hub.contracts.cloudevents import event_headers
from hub.contracts.codecs import encode_event
from hub.contracts.events import CanonicalEvent
from hub.gateway.brokers import STALLED_AFTER, BrokerLink
from hub.gateway.keys import development_key
from hub.gateway.problems import ProblemError
from hub.gateway.servers import serving
from hub.kernel.settings import Settings
from hub.transports.publishers import Publisher
from hub.transports.records import RawRecord

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


async def test_a_broker_that_stops_answering_is_told_at_once_and_nothing_piles_up(door, tmp_path):
    settings = door.settings.model_copy(update={"data_dir": tmp_path, "gateway_in_flight": 41_000})
    async with Stalling(door.kafka) as broker:
        link = BrokerLink(door.kafka, settings)
        link._publisher = broker
        link.ready = True
        record = RawRecord("event.health", b"k", b"x" * 9_000, (), "e", "d")
        first = [asyncio.create_task(link.publish([record])) for _ in range(12)]
        await asyncio.sleep(0.1)
        refused = [task for task in first if task.done()]
        # Four of ten thousand bytes fit; the others were told to come back.
        assert (len(refused), broker.waiting) == (8, 4)
        assert {task.exception().headers["Retry-After"] for task in refused} == {"5"}
        await asyncio.sleep(STALLED_AFTER)
        with pytest.raises(ProblemError):
            await link.publish([record._replace(value=b"")])
        assert broker.waiting == 4
        broker.go_on.set()
        await asyncio.gather(*first, return_exceptions=True)
        await link.publish([record])


async def test_a_flood_of_one_key_takes_nothing_from_another(door, tmp_path):
    settings = door.settings.model_copy(update={"data_dir": tmp_path, "gateway_records": 5})
    async with serving(settings, kafka=door.kafka, database=door.database) as served:
        while not served.gateway.broker.ready:  # noqa: ASYNC110 - it opens in the background
            await asyncio.sleep(0.02)
        village, hospital = (
            {"Authorization": f"Bearer {development_key(settings, f'department:{name}')}"}
            for name in ("village", "hospital")
        )
        async with httpx.AsyncClient(base_url=served.url) as client:
            batch = [REPORT | {"report_no": f"W-{n}"} for n in range(40)]
            whole = await client.post("/in/village/reports", json=batch, headers=village)
            assert (whole.status_code, whole.json()["accepted"]) == (202, 40)
            assert whole.headers["RateLimit-Remaining"] == "0"
            over = await client.post("/in/village/reports", json=REPORT, headers=village)
            assert over.status_code == 429
            # Thirty records over the ten at once, at five a second.
            assert 5 <= int(over.headers["Retry-After"]) <= 7
            other = await client.post("/in/hospital/encounters", json=[{}], headers=hospital)
            assert other.status_code == 422


class Stalling:
    """A publisher on a real broker that lets nothing through until it may go on."""

    def __init__(self, kafka):
        self.inner = Publisher(kafka, "test", prefix="")
        self.go_on = asyncio.Event()
        self.waiting = 0

    async def __aenter__(self):
        await self.inner.__aenter__()
        return self

    async def __aexit__(self, *error):
        await self.inner.__aexit__(*error)

    async def publish(self, records):
        self.waiting += 1
        await self.go_on.wait()
        return await self.inner.publish(records)


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
