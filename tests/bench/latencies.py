"""Latency: from the scheduled send of an event to its arrival in a program's inbox.

A record that is sent late because the system was slow counts from the instant at which it was due
(no coordinated omission). Sender and reader are the same for the product and for the raw loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from statistics import quantiles
from typing import Any, NamedTuple

import aiokafka

from hub.contracts.cloudevents import SEQUENCE
from hub.contracts.codecs import decode_copy
from hub.runtime.bench_grounds import Ground, Input
from hub.runtime.clients import producer
from hub.runtime.sending import Batches

_TICK = 0.001
_DRAIN_SECONDS = 30.0
_LOOK = 0.05
_WARM = 0.2
"""Share of the records, the first, that count for nothing."""


class Spread(NamedTuple):
    """Milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


def spread(seconds: Sequence[float]) -> Spread:
    """Quantiles of latencies."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return Spread(*(round(cuts[cut] * 1000, 1) for cut in (49, 94, 98)))


async def paced(here: Ground, records: Sequence[Input], rate: float) -> list[float]:
    """Send records at a rate.

    Returns:
        The instants at which they were due.
    """
    sender = producer(here.settings.kafka)
    await sender.start()
    start = time.perf_counter() + 0.05
    acks: list[Any] = []
    sent = 0
    try:
        while sent < len(records):
            await asyncio.sleep(max(_TICK, start + sent / rate - time.perf_counter()))
            due = min(len(records), int((time.perf_counter() - start) * rate) + 1)
            batches = Batches(sender, here.settings)
            for one in records[sent:due]:
                batches.add(one.topic, one.partition, one.key, one.value, one.headers)
            acks += await batches.send()
            sent = max(sent, due)
        await asyncio.gather(*acks)
    finally:
        await sender.stop()
    return [start + place / rate for place in range(len(records))]


class Arrivals:
    """Records of topics with the instant at which they could be read."""

    def __init__(self) -> None:
        self.found: list[tuple[float, Any]] = []

    async def follow(self, reader: Any) -> None:
        """Note what comes until cancelled."""
        while True:
            polled = await reader.getmany(timeout_ms=100)
            now = time.perf_counter()
            for records in polled.values():
                self.found += [(now, one) for one in records]

    async def wait(self, count: int) -> bool:
        """Whether so many came in time."""
        for _ in range(int(_DRAIN_SECONDS / _LOOK)):
            if len(self.found) >= count:
                break
            await asyncio.sleep(_LOOK)
        return len(self.found) >= count


@asynccontextmanager
async def arrivals(here: Ground, topics: Sequence[str]) -> AsyncIterator[Arrivals]:
    """What arrives in topics from now on."""
    ends = await here.ends(topics)
    reader = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=here.settings.kafka, isolation_level="read_committed"
    )
    await reader.start()
    reader.assign(list(ends))
    for place, end in ends.items():
        reader.seek(place, end)
    found = Arrivals()
    task = asyncio.create_task(found.follow(reader))
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await reader.stop()


class Sent(NamedTuple):
    """Records to be sent and what each will be known by at the other end."""

    records: Sequence[Input]
    names: Sequence[str]


async def to_inboxes(
    here: Ground, sent: Sent, rate: float, programs: Sequence[str], wanted: int
) -> tuple[Spread, list[str]]:
    """Latency of referrals; ``names`` are the ids of the events that open them.

    Args:
        here: A ground on which a worker runs.
        sent: Canonical events or raw records.
        rate: Per second.
        programs: Whose inboxes are read.
        wanted: How many copies must come.
    """
    async with arrivals(here, [f"program.{name}.inbox" for name in programs]) as found:
        due = await paced(here, sent.records, rate)
        complete = await found.wait(wanted)
    rows = await here.db.fetch("SELECT id, episode FROM referral")
    opened = {row[0]: row[1] for row in rows}
    came = [(at, opened.get(_referral(here, one), "")) for at, one in found.found]
    copies = {(one.topic, dict(one.headers)[SEQUENCE]) for _, one in found.found}
    problems = []
    if not complete or len(copies) != wanted or len(came) != wanted:
        problems.append(f"latency at {rate:g}/s: {len(came)} copies, not {wanted}")
    return _spread(sent, due, came), problems


def _referral(here: Ground, record: Any) -> str:
    program = here.settings.plain(record.topic).split(".")[1]
    found: str = decode_copy(program, record.value)["envelope"]["referral_id"]
    return found


async def through(here: Ground, sent: Sent, rate: float, target: str) -> Spread:
    """Latency of the raw loop; ``names`` are the ids in the records' headers."""
    async with arrivals(here, [target]) as found:
        due = await paced(here, sent.records, rate)
        await found.wait(len(sent.records))
    came = [(at, dict(one.headers)["ce_id"].decode()) for at, one in found.found]
    return _spread(sent, due, came)


def _spread(sent: Sent, due: Sequence[float], came: Sequence[tuple[float, str]]) -> Spread:
    first = int(len(due) * _WARM)
    at: Mapping[str, float] = dict(zip(sent.names[first:], due[first:], strict=True))
    return spread([arrived - at[name] for arrived, name in came if name in at])
