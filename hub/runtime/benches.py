"""Benches: events per second and CPU per event of intake and decide, beside a plain forward.

Everything is real: connectors' mappings, the profile's rules, broker and database. The forward
loop moves the same bytes without any work, so the figures can be read against this machine.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiokafka
import asyncpg
import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.embedded.databases import drop_database, make_database
from hub.embedded.services import Services
from hub.kernel.person_keys import partition_of
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.runtime.app import hub_worker
from hub.runtime.bench_admissions import admissions
from hub.runtime.bench_records import mixture
from hub.runtime.clients import producer
from hub.runtime.sending import Batches
from hub.runtime.wiring import wire
from hub.runtime.wirings import Wiring
from hub.store.connections import connect

_TICK = os.sysconf("SC_CLK_TCK")
_PLACES = ("worker", "broker", "database")


class Figures(msgspec.Struct):
    """What one run measured.

    Attributes:
        job: ``forward``, ``intake`` or ``decide``.
        events: Records worked between the first and the last look.
        seconds: Wall time between them.
        per_second: Events per second.
        micros: CPU per event in µs: worker, broker, database; -1 where it runs elsewhere.
        rows: What decide left per event: deliveries, denials, audit rows; empty for other jobs.
        ratio: Events per second by those of the forward loop of the same run.
        mix: What the input holds: topic → share of the records and their mean size.
    """

    job: str
    events: int
    seconds: float
    per_second: int
    micros: dict[str, float]
    rows: dict[str, float] = {}
    ratio: float = 1.0
    mix: dict[str, str] = {}


class _Look(NamedTuple):
    at: float
    done: int
    cpu: tuple[float, ...]


class _Input(NamedTuple):
    topic: str
    part: int
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    timestamp: int = 0
    offset: int = 0

    @property
    def partition(self) -> int:
        return self.part


class Bench:
    """One run on topics and a database of its own.

    Args:
        settings: Of the run, with broker, database and prefix filled in.
        services: Tell the processes whose CPU is read.
    """

    def __init__(self, settings: Settings, services: Services) -> None:
        self.settings = settings
        self.wiring: Wiring = wire(settings, Secrets.load(settings))
        self._pids = (
            services.broker.pid if services.broker else None,
            services.server.pid if services.server else None,
        )

    def raw(self, made: Iterable[tuple[str, int, bytes]]) -> list[_Input]:
        """Raw records out of topic, person and value."""
        parts = self.settings.partitions
        found = []
        for topic, person, value in made:
            key = person.to_bytes(16, "big")
            found.append(_Input(topic, partition_of(key, parts), key, value, ()))
        return found

    def canonical(self, raw: Sequence[_Input]) -> list[_Input]:
        """What intake makes of them."""
        now = int(time.time() * 1000)
        return [
            _Input(topic, one.part, key, value, headers)
            for one in raw
            for topic, key, value, headers in self.wiring.pipelines[one.topic](
                one._replace(timestamp=now)
            )
        ]

    async def load(self, records: Sequence[_Input], chunk: int = 2000) -> None:
        """Put records on the broker."""
        sender = producer(self.settings.kafka)
        await sender.start()
        for start in range(0, len(records), chunk):
            batches = Batches(sender, self.settings)
            for one in records[start : start + chunk]:
                batches.add(one.topic, one.part, one.key, one.value, one.headers)
            await asyncio.gather(*await batches.send())
        await sender.stop()

    async def stage(self, name: str, total: int) -> Figures:
        """Run one stage of a worker until it has worked everything."""
        db = await connect(self.settings.database)
        async with AsyncExitStack() as stack:
            worker = hub_worker(self.settings, stack, stages=(name,))
            await stack.enter_async_context(worker)
            # Two looks only: reading the CPU of other processes costs more than a chunk of work.
            first = await self._until(db, 1)
            last = await self._until(db, total)
        figures = _figures(name, first, last)
        if name == "decide":
            figures.rows = await _rows(db, total)
        await db.close()
        return figures

    async def _until(self, db: asyncpg.Connection, wanted: int) -> _Look:
        while True:
            done = await db.fetchval(
                "SELECT coalesce(sum(next_offset), 0)::bigint FROM partition_claim"
            )
            if done >= wanted:
                return _Look(time.perf_counter(), done, self._cpu())
            await asyncio.sleep(0.05)

    async def forward(self, total: int, topics: Sequence[str]) -> Figures:
        """Read the same records and send them on, untouched."""
        reader = aiokafka.AIOKafkaConsumer(
            *map(self.settings.wire, topics),
            bootstrap_servers=self.settings.kafka,
            auto_offset_reset="earliest",
        )
        sender = producer(self.settings.kafka)
        await reader.start()
        await sender.start()
        first = _Look(time.perf_counter(), 0, self._cpu())
        done = 0
        acks: list[Any] = []
        while done < total:
            polled = await reader.getmany(timeout_ms=500, max_records=2000)
            batches = Batches(sender, self.settings)
            for partition, records in polled.items():
                for record in records:
                    batches.add(
                        "bench.forward",
                        partition.partition,
                        record.key,
                        record.value,
                        record.headers,
                    )
                done += len(records)
            acks += await batches.send()
        await asyncio.gather(*acks)
        last = _Look(time.perf_counter(), done, self._cpu())
        await reader.stop()
        await sender.stop()
        return _figures("forward", first, last)

    def _cpu(self) -> tuple[float, ...]:
        return (time.process_time(), *map(_family_seconds, self._pids))


def _figures(job: str, first: _Look, last: _Look) -> Figures:
    events = last.done - first.done
    seconds = max(last.at - first.at, 1e-9)
    spent = [b - a for a, b in zip(first.cpu, last.cpu, strict=True)]
    micros = {
        place: round(s / max(events, 1) * 1e6, 1) if last.cpu[n] >= 0 else -1.0
        for n, (place, s) in enumerate(zip(_PLACES, spent, strict=True))
    }
    return Figures(job, events, round(seconds, 3), round(events / seconds), micros)


async def _rows(db: asyncpg.Connection, events: int) -> dict[str, float]:
    """What a run of decide left in the database, per event read."""
    ((deliveries, denials, audit),) = await db.fetch(
        "SELECT (SELECT count(*) FROM outbox),"
        " (SELECT sum(json_array_length(doc -> 'denied')) FROM audit),"
        " (SELECT count(*) FROM audit)"
    )
    found = {"deliveries": deliveries, "denials": denials, "audit": audit}
    return {name: round(int(count or 0) / events, 2) for name, count in found.items()}


def _family_seconds(pid: int | None) -> float:
    """CPU seconds of a process, its living children and those it has waited for."""
    if pid is None:
        return -1.0
    total = 0.0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # After the name: state, parent, …; utime, stime, cutime and cstime stand at 11 to 14.
        if folder.name == str(pid):
            total += sum(map(int, fields[11:15]))
        elif fields[1] == str(pid):
            total += sum(map(int, fields[11:13]))
    return total / _TICK


@asynccontextmanager
async def bench(settings: Settings, services: Services) -> AsyncIterator[Bench]:
    """A bench with topics and a database of its own, both dropped at the end.

    Args:
        settings: Of the process.
        services: Broker and database to measure on.
    """
    dsn = await make_database(services.database)
    own = settings.model_copy(
        update={
            "kafka": services.kafka,
            "database": dsn,
            "topic_prefix": f"bench{os.getpid()}-",
            "synthetic_people": True,
        }
    )
    made = Bench(own, services)
    names = [*made.wiring.topics, "bench.forward"]
    admin = AIOKafkaAdminClient(bootstrap_servers=services.kafka)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(own.wire(name), own.partitions, own.replication) for name in names]
        )
        yield made
    finally:
        await admin.delete_topics([own.wire(name) for name in names])
        await admin.close()
        await drop_database(services.database, dsn)


async def run(settings: Settings, services: Services, job: str, events: int) -> list[Figures]:
    """Measure the forward loop and one job on the same input.

    Args:
        settings: Of the process.
        services: Broker and database.
        job: ``intake`` or ``decide``.
        events: How many records.
    """
    async with bench(settings, services) as made:
        records = made.raw(admissions(events) if job == "intake" else mixture(events))
        mix = _mix(records)
        if job == "decide":
            records = made.canonical(records)
        await made.load(records)
        topics = sorted({one.topic for one in records})
        plain = await made.forward(len(records), topics)
        figures = await made.stage(job, len(records))
        # Once more, because the first one also warms the broker up: the faster one counts.
        again = await made.forward(len(records), topics)
        plain = max(plain, again, key=lambda one: one.per_second)
        figures.ratio = round(figures.per_second / max(plain.per_second, 1), 3)
        figures.mix = mix
        return [plain, figures]


def _mix(records: Sequence[_Input]) -> dict[str, str]:
    sizes: dict[str, list[int]] = {}
    for one in records:
        sizes.setdefault(one.topic, []).append(len(one.value))
    return {
        topic: f"{100 * len(each) / len(records):.1f} %, {sum(each) // len(each)} B"
        for topic, each in sorted(sizes.items())
    }
