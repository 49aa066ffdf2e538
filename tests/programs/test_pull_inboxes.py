"""A receiver that fetches from a real gateway: cursor, gaps, acknowledgement, replies."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import decode_event
from hub.contracts.provisions import apply
from hub.embedded.databases import drop_database, make_database
from hub.gateway.keys import development_key
from hub.gateway.servers import serving
from hub.kernel.errors import ConfigurationError, HubError
from hub.kernel.settings import Settings
from hub.sdk.programs import Inbox
from hub.sdk.programs.pulls import PullInbox
from hub.store import deliveries, numberings, outbox, subscriptions
from hub.store.migrations import migrate

pytestmark = pytest.mark.embedded
PROGRAM = "education-aid"


class Door:
    """A running gateway with copies of one program."""

    def __init__(self, url: str, settings: Settings, kafka: str, db, press) -> None:
        self.url, self.settings, self.kafka, self.db, self.press = url, settings, kafka, db, press
        self.key = development_key(settings, f"program:{PROGRAM}")

    async def renumber(self) -> None:
        for one in await subscriptions.take(self.db, "test", 99):
            assert await numberings.renumber(self.db, one, now=1_743_480_001_000)

    async def deliver(self, *numbers: int) -> None:
        """Rows as the decider leaves them, numbered as the relay does."""
        rows = [self.press.row(PROGRAM, number) for number in numbers]
        await subscriptions.register(self.db, {PROGRAM: (rows[0].topic, "pull")})
        await outbox.write(self.db, rows)
        await self.db.execute("UPDATE subscription SET owner = '', leased_until = '-infinity'")
        held = await subscriptions.take(self.db, "test", 99)
        await deliveries.move(self.db, held, limit=1000, now=1_743_480_001_000)

    def open(self) -> Inbox:
        return Inbox(PROGRAM, gateway=self.url, key=self.key)

    async def replies(self, count: int):
        name = self.settings.wire(f"program.{PROGRAM}.reply")
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await consumer.start()
        try:
            place = TopicPartition(name, 0)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            return [decode_event((await consumer.getone()).value) for _ in range(count)]
        finally:
            await consumer.stop()


@pytest.fixture
async def door(kafka, database, tmp_path, press):
    dsn = await make_database(database)
    db = await asyncpg.connect(dsn)
    await migrate(db)
    settings = Settings(
        kafka=kafka,
        database=dsn,
        data_dir=tmp_path,
        synthetic_people=True,
        topic_prefix=f"p{uuid.uuid4().hex[:8]}.",
        gateway_port=0,
    )
    topic = catalogue().topics[f"program.{PROGRAM}.reply"]
    await apply(kafka, [msgspec.structs.replace(topic, name=settings.wire(topic.name))], 1, 1)
    async with serving(settings, kafka=kafka, database=dsn) as served:
        while not served.gateway.broker.ready:  # noqa: ASYNC110 - it opens in the background
            await asyncio.sleep(0.02)
        yield Door(served.url, settings, kafka, db, press)
    await db.close()
    await drop_database(database, dsn)


async def take(inbox: Inbox, count: int) -> list[int]:
    found = []
    async for copy in inbox:
        found.append(copy.sequence)
        if len(found) == count:
            break
    return found


async def test_copies_come_in_order_and_are_acknowledged_when_handled(door):
    await door.deliver(1, 2, 3)
    async with door.open() as inbox:
        assert await take(inbox, 3) == [1, 2, 3]
    # The body of the third one was left by a break, so it was not finished.
    async with door.open() as inbox:
        assert await take(inbox, 1) == [3]
    await door.deliver(4)
    async with door.open() as inbox:
        assert await take(inbox, 2) == [3, 4]
        assert inbox.gaps == ()


async def test_a_gap_is_surfaced_and_can_be_fetched(door):
    await door.deliver(1, 2, 3)
    await door.db.execute("UPDATE delivery SET seq = 102 WHERE seq = 2")
    async with door.open() as inbox:
        assert await take(inbox, 2) == [1, 3]
        (gap,) = inbox.gaps
        assert (gap.first, gap.last) == (2, 2)
        await door.db.execute("UPDATE delivery SET seq = 2 WHERE seq = 102")
        found = [copy.sequence async for copy in inbox.missing()]
        assert (found, inbox.gaps) == ([2], ())
    async with PullInbox(PROGRAM, door.url, door.key) as transport:
        copy = await transport.one(2)
        assert (copy.sequence, copy.type) == (2, "referral.created")


async def test_numbers_of_a_new_generation_follow_those_of_the_old_one(door):
    await door.deliver(1, 2, 3)
    async with door.open() as inbox:
        assert await take(inbox, 2) == [1, 2]
        # The hub's database is put back to a moment before the third copy was numbered.
        await door.db.execute("DELETE FROM delivery WHERE seq = 3")
        await door.db.execute("UPDATE subscription SET next_seq = 3")
        async with httpx.AsyncClient(base_url=door.url) as client:
            client.headers["authorization"] = f"Bearer {door.key}"
            asked = {"generation": 1, "after": 3}
            page = await client.get(f"/programs/{PROGRAM}/inbox", params=asked)
            assert page.json()["copies"] == []
            silent = await client.get(f"/programs/{PROGRAM}/inbox", params={"after": 3})
            assert silent.status_code == 409
        await door.renumber()
        await door.deliver(3, 4)
        # The third had come already, so only its number is new.
        assert await take(inbox, 3) == [2, 3, 2]
        assert (inbox.duplicates, inbox.gaps) == (1, ())
        assert await inbox._gateway.one(3, 1) is None
    async with door.open() as inbox:
        assert [copy async for copy in inbox.missing()] == []


async def test_a_reply_arrives_with_the_id_the_sdk_told(door):
    await door.deliver(1)
    async with door.open() as inbox:
        async for copy in inbox:
            told = [await inbox.reply(copy, "referral.accepted", handler="A-1") for _ in range(2)]
            break
    one, two = await door.replies(2)
    assert {one.event_id, two.event_id} == set(told)
    assert one.groups["reply"]["referral_id"] == copy.referral_id
    assert one.groups["reply"]["person_ref"] == copy.person_ref


async def test_a_wrong_key_says_what_to_do(door):
    async with Inbox(PROGRAM, gateway=door.url, key="wrong") as inbox:
        with pytest.raises(HubError, match="check the key"):
            await take(inbox, 1)


async def test_an_inbox_has_a_way_and_a_gateway_has_a_key():
    for ways in ({}, {"kafka": "k", "gateway": "g"}, {"gateway": "g"}):
        with pytest.raises(ConfigurationError):
            Inbox(PROGRAM, **ways)


async def test_an_unreachable_gateway_is_an_error_and_no_silence():
    async with Inbox(PROGRAM, gateway="http://127.0.0.1:9", key="x") as inbox:
        with pytest.raises(httpx.ConnectError):
            await take(inbox, 1)


async def test_a_gateway_that_stops_answering_is_asked_again_and_nothing_is_lost(door):
    """A proxy answers the first fetch, the second is slow; one acknowledgement finds nobody."""
    faults = [
        httpx.Response(503),
        httpx.ReadTimeout("slow"),
        None,
        httpx.ConnectError("refused"),
        None,
    ]

    class Failing(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            fault = faults.pop(0) if faults else None
            if isinstance(fault, Exception):
                raise fault
            return fault or await super().handle_async_request(request)

    await door.deliver(1, 2)
    client = httpx.AsyncClient(
        base_url=door.url,
        headers={"authorization": f"Bearer {door.key}"},
        transport=Failing(),
    )
    async with Inbox(PROGRAM, gateway=door.url, key=door.key, client=client) as inbox:
        # The third copy is not there: asking for it acknowledges the second one.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(6):
                await take(inbox, 3)
        assert inbox.sequence == 2
    assert not faults
    acked = await door.db.fetchval("SELECT acked_seq FROM subscription WHERE id = $1", PROGRAM)
    assert acked == 2
