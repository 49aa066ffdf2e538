"""A receiver on a real broker: order, once, gaps, restart, replies."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.contracts.codecs import decode_event
from hub.sdk.programs import Gap, Inbox

pytestmark = pytest.mark.embedded
PROGRAM = "medical-aid"


class Topics:
    """Inbox and reply topic of one test."""

    def __init__(self, kafka: str, press) -> None:
        self.kafka = kafka
        self.press = press
        self.prefix = f"t{uuid.uuid4().hex[:8]}."
        self.inbox = f"{self.prefix}program.{PROGRAM}.inbox"
        self.reply = f"{self.prefix}program.{PROGRAM}.reply"

    async def make(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(n, 1, 1) for n in (self.inbox, self.reply)])
        finally:
            await admin.close()

    async def send(self, *sequences: int, generation: int = 1) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka)
        await producer.start()
        try:
            for sequence in sequences:
                value, headers, _ = self.press.referral(PROGRAM, sequence, generation)
                await producer.send_and_wait(self.inbox, value, headers=headers)
        finally:
            await producer.stop()

    def open(self, **options) -> Inbox:
        return Inbox(PROGRAM, kafka=self.kafka, prefix=self.prefix, **options)

    async def replies(self, count: int):
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await consumer.start()
        try:
            place = TopicPartition(self.reply, 0)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            return [decode_event((await consumer.getone()).value) for _ in range(count)]
        finally:
            await consumer.stop()


@pytest.fixture
async def topics(kafka, press):
    made = Topics(kafka, press)
    await made.make()
    return made


async def read(inbox: Inbox, last: int) -> list[int]:
    """Numbers until the last one; its body is finished like the others."""
    found = []

    async def loop() -> None:
        async for copy in inbox:
            found.append(copy.sequence)
            if copy.sequence == last:
                done.set()

    done = asyncio.Event()
    task = asyncio.create_task(loop())
    await asyncio.wait_for(done.wait(), 30)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return found


async def stumble(inbox: Inbox) -> None:
    async for copy in inbox:
        if copy.sequence == 2:
            raise ZeroDivisionError


async def test_a_missing_number_is_surfaced_and_closed_when_it_comes(topics):
    await topics.send(1, 2, 5, 6)
    async with topics.open() as inbox:
        assert await read(inbox, 6) == [1, 2, 5, 6]
        assert inbox.gaps == (Gap(1, 3, 4),)
        await topics.send(3, 7)
        assert await read(inbox, 7) == [3, 7]
        assert inbox.gaps == (Gap(1, 4, 4),)


async def test_numbers_and_gaps_survive_a_restart(topics):
    await topics.send(1, 3)
    async with topics.open() as inbox:
        assert await read(inbox, 3) == [1, 3]
    await topics.send(4, 6)
    async with topics.open() as inbox:
        assert await read(inbox, 6) == [4, 6]
        assert inbox.gaps == (Gap(1, 2, 2), Gap(1, 5, 5))


async def test_a_copy_sent_again_is_passed_on_once(topics, tmp_path):
    await topics.send(1, 2, 2, 1, 3)
    async with topics.open(memory=tmp_path / "ids") as inbox:
        assert await read(inbox, 3) == [1, 2, 3]
        assert inbox.duplicates == 2
    await topics.send(2, 4)
    async with topics.open(memory=tmp_path / "ids") as inbox:
        assert await read(inbox, 4) == [4]
        assert inbox.gaps == ()


async def test_a_copy_whose_handling_failed_comes_again_at_once_and_after_a_restart(topics):
    await topics.send(1, 2, 3)
    async with topics.open() as inbox:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await stumble(inbox)
    async with topics.open() as inbox:
        assert await read(inbox, 3) == [2, 3]
        assert inbox.gaps == ()


async def test_a_reply_keeps_its_id_when_it_is_sent_again(topics):
    await topics.send(1)
    async with topics.open() as inbox:
        async for copy in inbox:
            first = await inbox.reply(copy, "referral.accepted", handler="A-17")
            again = await inbox.reply(copy, "referral.accepted", handler="A-17")
            break
    assert first == again
    one, two = await topics.replies(2)
    assert one.event_id == two.event_id == first
    assert one.groups["reply"]["referral_id"] == "referral-1"
    assert one.digest == two.digest
