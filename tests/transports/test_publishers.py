"""Publishing: acknowledged before it returns, and again after the producer broke down."""

import asyncio

import pytest
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber


async def test_records_of_many_calls_at_once_all_arrive(department):
    rows = [[{"id": call * 10 + number} for number in range(10)] for call in range(10)]
    done = await asyncio.gather(
        *(department.sink.publish(map(department.maker.of_row, some)) for some in rows)
    )
    assert sum(one.sent for one in done) == 100
    assert {one.row["id"] for one in await department.arrived()} == set(range(100))


async def test_a_producer_that_broke_down_is_replaced(department):
    record = department.maker.of_row({"id": 1})
    department.sink._producer._message_accumulator.fail_all(OutOfOrderSequenceNumber())
    with pytest.raises(KafkaError):
        await department.sink.publish([record])
    assert (await department.sink.publish([record])).sent == 1


async def test_publishing_outside_the_context_is_an_error_of_the_program(department):
    await department.sink.__aexit__(None, None, None)
    with pytest.raises(RuntimeError):
        await department.sink.publish([department.maker.of_row({"id": 1})])
