from __future__ import annotations

import os

import aiokafka
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.runtime.shares import fair_poll, left_out

FLOOD = 8000


@pytest.fixture
async def places(kafka):
    """A flooded topic between two quiet ones."""
    mark = os.urandom(4).hex()
    names = [f"{letter}-{mark}" for letter in "amz"]
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 2, 1) for name in names])
    await admin.close()
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for number in range(FLOOD):
            await producer.send(names[1], b"x" * 20, partition=number % 2)
        for name in (names[0], names[2]):
            for number in range(40):
                await producer.send(name, b"urgent", partition=number % 2)
        await producer.flush()
    return [TopicPartition(name, part) for name in names for part in (0, 1)]


async def test_a_flooded_topic_holds_no_other_up_for_longer_than_a_turn(kafka, places):
    async with aiokafka.AIOKafkaConsumer(bootstrap_servers=kafka) as client:
        client.assign(places)
        await client.seek_to_beginning(*places)
        urgent = flood = 0
        while urgent < 80:
            polled = await fair_poll(client, places, timeout_ms=2000, limit=400)
            for place, records in polled.items():
                urgent += len(records) * (not place.topic.startswith("m-"))
                flood += len(records) * place.topic.startswith("m-")
        assert flood < FLOOD / 2
        rest = 0
        while flood + rest < FLOOD:
            polled = await fair_poll(client, places, timeout_ms=2000, limit=400)
            rest += sum(map(len, polled.values()))
        assert flood + rest == FLOOD


def test_only_topics_without_any_record_were_left_out():
    places = [TopicPartition(topic, part) for topic in "abc" for part in (0, 1)]
    assert left_out(places, [TopicPartition("b", 1)]) == [places[:2], places[4:]]
    assert left_out(places, places[::2]) == []
