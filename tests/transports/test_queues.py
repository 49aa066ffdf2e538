"""A department's own topic: every record forwarded, re-keyed, once per position."""

import secrets

import pytest
from aiokafka import AIOKafkaProducer
from conftest import ROUTE

from hub.kernel.errors import HubError
from hub.sdk.ways import QueueOptions
from hub.transports.queues import QueueReader

PERSON = "99068219520101103X"
POISON = [b'{"id": 1', b"\xb0\xa1\xff", b"[" * 999, b"[1]", b'{"id": "\\ud800"}', b"NaN", None]


@pytest.fixture
async def queue(kafka, department):
    options = QueueOptions(topic=f"Dept_Queue.{secrets.token_hex(4)}", group="dept-view")
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()

    async def send(*values):
        for value in values:
            key = b"" if value is None else None
            await producer.send_and_wait(options.topic, value, key=key, partition=0)

    def reader(hit=lambda _point: None):
        return QueueReader(
            kafka, options, department.maker, department.sink, department.cursors, hit=hit
        )

    await _make(kafka, options.topic)
    yield send, reader
    await producer.stop()


async def _make(kafka, topic):
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 2, 1)])
    await admin.close()


async def test_records_without_key_are_forwarded_unchanged_and_get_the_persons_key(
    queue, department
):
    send, reader = queue
    body = b'{ "id": 7,  "id_number": "' + PERSON.lower().encode() + b'" }'
    await send(body)
    async with reader() as reading:
        assert (await reading.poll()).sent == 1
        assert (await reading.poll()).sent == 0
        await send(body)
        assert (await reading.poll()).sent == 1
    first, second = await department.arrived()
    assert first.value == body
    assert first.key == ROUTE.route(PERSON)
    assert first.event_id == second.event_id


async def test_poison_is_passed_on_for_intake_to_judge_and_holds_nothing_up(queue, department):
    send, reader = queue
    await send(*POISON, b'{"id": 1}')
    async with reader() as reading:
        assert (await reading.poll()).sent == len(POISON) + 1
    arrived = await department.arrived()
    assert {one.value for one in arrived} == {value or b"" for value in POISON} | {b'{"id": 1}'}
    assert all(len(one.key) == 16 for one in arrived)


async def test_a_record_over_the_limit_leaves_a_digest_only(queue, department):
    send, reader = queue
    await send(b'{"id": "' + b"x" * 2000 + b'"}', b'{"id": 1}')
    async with reader() as reading:
        assert await reading.poll() == (1, 1)
    (letter,) = await department.refused()
    assert letter.row["size"] == 2010
    assert len(await department.arrived()) == 1


@pytest.mark.parametrize("point", ["src.read", "src.published", "src.cursor"])
async def test_a_connector_killed_at_any_point_loses_nothing(queue, department, point):
    def kill(name):
        if name == point:
            raise KeyboardInterrupt

    send, reader = queue
    await send(*[b'{"id": %d}' % number for number in range(5)])
    with pytest.raises(KeyboardInterrupt):
        async with reader(kill) as reading:
            await reading.poll()
    async with reader() as reading:
        await reading.poll()
    arrived = await department.arrived()
    assert {one.row["id"] for one in arrived} == set(range(5))
    assert len({one.event_id for one in arrived}) == 5
    assert len(arrived) == (10 if point == "src.published" else 5)


async def test_a_missing_topic_is_named(kafka, department):
    options = QueueOptions(topic="nowhere")
    reading = QueueReader(kafka, options, department.maker, department.sink, department.cursors)
    async with reading:
        with pytest.raises(HubError, match="nowhere"):
            await reading.poll()
