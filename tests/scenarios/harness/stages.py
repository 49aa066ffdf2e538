"""Stages: one isolated hub for one run, on the session's broker and database server.

Own topics (a prefix), own databases (from templates), own clock, own drop folders; the worker,
the gateway and the connectors' readers are the product's own, in this process.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import asyncpg
import httpx
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from fastapi import FastAPI

from hub.contracts.catalogues import catalogue
from hub.contracts.provisions import apply
from hub.contracts.topics import Topic
from hub.embedded.city.offices import Offices, queue_topics
from hub.embedded.databases import make_database
from hub.gateway.apps import create_app
from hub.gateway.keys import development_key
from hub.kernel.clocks import FileClock, epoch_ms
from hub.kernel.person_keys import RouteKey
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.model.openings import OpeningRow, homes_of
from hub.model.outbox import Headers
from hub.runtime.openings import load_opening
from hub.runtime.services import Worker
from hub.runtime.wiring import wire
from hub.runtime.wirings import Wiring
from hub.sdk.manifests import Manifest, load_manifests
from hub.sdk.profiles import load_profile
from hub.sdk.programs.copies import Copy, from_record
from hub.sdk.ways import Way
from hub.store.deliveries import Delivery
from hub.transports.cursors import FileCursors
from hub.transports.publishers import Publisher
from hub.transports.runners import ConnectorRunner, Sources, Surroundings
from hub.transports.webhooks import Answer
from tests.scenarios.harness.receivers import Recipients
from tests.scenarios.harness.stories import Entry, Story

_NUMBERS = itertools.count(1)
PUSHED = {"police", "village"}
"""Connectors without anything to read: their departments call the gateway."""
ROSTERS = ("poverty-alleviation", "medical-insurance", "education", "power-supply")


class Templates(NamedTuple):
    """Databases every run copies: the hub's tables, the departments' tables."""

    hub: str
    exchange: str


class Stage:
    """Use it as a context manager.

    Args:
        kafka: Bootstrap servers.
        database: DSN of the administrator's database.
        templates: Copied for this run.
        folder: For the clock, drop folders and cursors.
        secrets: Folder of the session's keys.
        story: Whose beginning the clock shows.
    """

    def __init__(
        self,
        kafka: str,
        database: str,
        templates: Templates,
        folder: Path,
        secrets: Path,
        story: Story,
    ) -> None:
        self.kafka, self._admin, self._templates = kafka, database, templates
        self.folder = folder
        self.story = story
        self.now = story.opens_at
        self.prefix = f"s{next(_NUMBERS)}."
        self._secrets_dir = secrets
        self._clock = folder / "clock"
        self._failures: list[str] = []
        self.down: set[str] = set()
        self._records: list[Any] = []
        self._positions: dict[TopicPartition, int] = {}
        self.posted: dict[str, list[tuple[bytes, Headers]]] = {}

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()

    async def _open(self, stack: AsyncExitStack) -> None:
        self.set_clock(self.story.opens_at)
        self.database, self.exchange = await asyncio.gather(
            make_database(self._admin, self._templates.hub),
            make_database(self._admin, self._templates.exchange),
        )
        # Not dropped: that costs a checkpoint each, and the session's server goes anyway.
        self.settings = Settings(
            kafka=self.kafka,
            database=self.database,
            data_dir=self.folder,
            secrets_dir=self._secrets_dir,
            topic_prefix=self.prefix,
            clock=f"file:{self._clock}",
            synthetic_people=True,
            profile=self.story.profile,
            lanes=2,
            partitions=2,
        )
        self.secrets = Secrets.load(self.settings)
        self.wiring = self._wired()
        self.worked = [*self.wiring.topics_of("intake"), *self.wiring.topics_of("decide")]
        self.manifests = {
            name: _prefixed(manifest, self.prefix)
            for name, manifest in load_manifests(self.settings).items()
        }
        await self._make_topics(stack)
        await self._open_clients(stack)
        await self.start_worker()
        stack.push_async_callback(self.stop_worker)

    def _wired(self) -> Wiring:
        wiring = wire(self.settings, self.secrets)
        # Copies are read from topics here, but where a story says otherwise.
        ways = {
            name: (topic, self.story.ways.get(name, "kafka"))
            for name, (topic, _) in wiring.subscriptions.items()
        }
        return replace(wiring, subscriptions=ways)

    async def _make_topics(self, stack: AsyncExitStack) -> None:
        declared = catalogue().topics
        example = next(iter(declared.values()))
        queues = [_queue(example, name) for name in queue_topics(self.manifests)]
        prefixed = [
            msgspec.structs.replace(topic, name=self.prefix + topic.name)
            for topic in declared.values()
        ]
        made = [*prefixed, *queues]
        await apply(self.kafka, made, self.settings.partitions, 1)
        stack.push_async_callback(_delete, self.kafka, [topic.name for topic in made])

    async def _open_clients(self, stack: AsyncExitStack) -> None:
        app = create_app(self.settings)
        await stack.enter_async_context(app.router.lifespan_context(app))
        gateway = await stack.enter_async_context(_client(app))
        key = development_key(self.settings, "operator:test")
        headers = {"authorization": f"Bearer {key}", "accept": "application/json"}
        self.operator = await stack.enter_async_context(_client(app, headers))
        self._offices = await stack.enter_async_context(
            Offices(
                self.manifests,
                self.exchange,
                self.kafka,
                self.folder / "drops",
                "http://gateway",
                lambda connector: development_key(self.settings, f"department:{connector}"),
                client=gateway,
            )
        )
        self._publisher = await stack.enter_async_context(
            Publisher(self.kafka, "departments", prefix=self.prefix)
        )
        self._reader = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        # A client of its own: a request for offsets would queue behind the reader's long poll.
        self._gauge = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        self.producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all", linger_ms=0)
        for client in (self._reader, self._gauge, self.producer):
            await client.start()
            stack.push_async_callback(client.stop)
        topics = {tp.topic for tp in self.partitions(list(catalogue().topics))}
        # Learnt at once: asked one by one, each unknown topic costs a refresh.
        await self._gauge._client.set_topics(topics)
        self.watched = [*self.event_topics, *self.inbox_topics]
        self._reader.assign(self.partitions(self.watched))
        await self._reader.seek_to_beginning()
        self.pool = await asyncpg.create_pool(self.database, min_size=1, max_size=2)
        stack.push_async_callback(self.pool.close)
        self.recipients = Recipients(self, ROSTERS)

    async def _post(self, program: str, copy: Delivery, headers: Headers) -> Answer:
        """The wire of a webhook: an answer, or none while the receiver is down."""
        if program in self.down:
            return Answer(0, "connection refused")
        self.posted.setdefault(program, []).append((copy.body, headers))
        return Answer(200, "")

    async def start_worker(self) -> None:
        """Start the hub, or start it again."""
        self.worker = Worker(
            self.settings, self.wiring, fatal=self._failures.append, send=self._post
        )
        await self.worker.start()

    async def stop_worker(self) -> None:
        """Stop the hub as an operator does."""
        await self.worker.stop()
        assert not self._failures, self._failures

    def set_clock(self, at: datetime) -> None:
        """Move the test clock, never backwards."""
        draft = self._clock.with_suffix(".new")
        draft.write_text(at.isoformat())
        draft.replace(self._clock)
        self.now = at

    async def enter(self, entry: Entry) -> None:
        """A department enters records into its own system."""
        if entry.file_name:
            rows = list(entry.records)
            self._offices.drop_workbook(entry.connector, rows, entry.file_name)
        else:
            await self._offices.enter(entry.connector, entry.item, *entry.records, way=entry.way)

    async def enter_again(self, entry: Entry) -> None:
        """The same records reach the connector a second time, with the same keys."""
        item = self.manifests[entry.connector].item(entry.item)
        way = entry.way or item.way
        if way == Way.VIEW:
            # A lost cursor: the reader starts from the beginning.
            shutil.rmtree(self.folder / "cursors" / entry.connector, ignore_errors=True)
            (self.folder / "cursors").mkdir(exist_ok=True)
        elif way == Way.FILE:
            rows = list(entry.records)
            name = f"{next(_NUMBERS)}-{entry.file_name or item.id}".removesuffix(".csv")
            name = item.file.pattern.replace("*", name) + ".csv"
            self._offices.drop_workbook(entry.connector, rows, name)
        else:
            await self.enter(entry)

    async def load_opening(self, rows: list[OpeningRow]) -> None:
        """People on roll before the story begins."""
        connection = await asyncpg.connect(self.database)
        try:
            profile = load_profile(self.settings.profile)
            now = epoch_ms(self.now)
            homes = homes_of(rows)
            await load_opening(connection, homes, profile, now=now, actor="test", name="opening")
        finally:
            await connection.close()

    async def fire_close_again(self, period: str) -> None:
        """The timers of a quarter's close fire once more."""
        await self.pool.execute(
            "INSERT INTO timer (key, due_at, kind, payload, cause, correlation, jurisdiction)"
            " SELECT 'again:' || r, $1, 'roster_close',"
            " jsonb_build_object('recipient', r, 'period', $2::text), '', r, ''"
            " FROM unnest($3::text[]) AS r",
            epoch_ms(self.now),
            period,
            list(ROSTERS),
        )

    async def pump(self, connectors: set[str]) -> None:
        """Connectors read what is new in their departments' systems."""
        around = Surroundings(
            self._publisher,
            FileCursors(self.folder / "cursors"),
            RouteKey(self.secrets.k_route),
            FileClock(self._clock),
            synthetic=True,
            settle=0,
        )
        for name in sorted(connectors - PUSHED):
            sources = Sources(self.exchange, self.kafka, self.folder / "drops" / name)
            runner = ConnectorRunner(self.manifests[name], sources, around)
            await runner.run(asyncio.Event(), once=True)

    def partitions(self, topics: list[str]) -> list[TopicPartition]:
        """Partitions of declared topics, under their names on the cluster."""
        declared = catalogue().topics
        return [
            TopicPartition(self.prefix + name, number)
            for name in topics
            for number in range(declared[name].partitions or self.settings.partitions)
        ]

    @property
    def event_topics(self) -> list[str]:
        """Canonical events and replies."""
        names = catalogue().topics
        return [n for n in names if n.startswith("event.") or n.endswith(".reply")]

    @property
    def inbox_topics(self) -> list[str]:
        """Copies."""
        return [name for name in catalogue().topics if name.endswith(".inbox")]

    async def ends(self, topics: list[str]) -> dict[TopicPartition, int]:
        """End offsets."""
        found: dict[TopicPartition, int] = await self._gauge.end_offsets(self.partitions(topics))
        return found

    async def copies(self, program: str = "") -> list[tuple[str, Copy]]:
        """Every copy that reached a receiver, by topic or by post, in its order."""
        topics = [f"program.{program}.inbox"] if program else self.inbox_topics
        found = []
        for record in await self.read(topics):
            name = record.topic.removeprefix(self.prefix).split(".")[1]
            found.append((name, from_record(name, record.value, record.headers)))
        for name, posts in self.posted.items():
            if program in {"", name}:
                found += [(name, from_record(name, body, headers)) for body, headers in posts]
        return found

    async def read(self, topics: list[str]) -> list[Any]:
        """Everything that stands on inbox, event or reply topics now, in the order it came."""
        ends = {tp: end for tp, end in (await self.ends(self.watched)).items() if end}
        while any(self._positions.get(tp, 0) < end for tp, end in ends.items()):
            for tp, records in (await self._reader.getmany(timeout_ms=100)).items():
                self._positions[tp] = records[-1].offset + 1
                self._records.extend(records)
        wanted = {self.prefix + topic for topic in topics}
        return [record for record in self._records if record.topic in wanted]


async def _delete(kafka: str, topics: list[str]) -> None:
    """Topics of a run that is over: a broker with thousands of them gets slow."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics(topics)
    finally:
        await admin.close()


def _client(app: FastAPI, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://gateway", headers=headers
    )


def _prefixed(manifest: Manifest, prefix: str) -> Manifest:
    """The manifest with the department's own topics of this run."""
    items = []
    for item in manifest.items:
        if item.queue is not None:
            queue = item.queue.model_copy(update={"topic": prefix + item.queue.topic})
            item = item.model_copy(update={"queue": queue})  # noqa: PLW2901 - replaced on purpose
        items.append(item)
    return manifest.model_copy(update={"items": items})


def _queue(example: Topic, name: str) -> Topic:
    return msgspec.structs.replace(example, name=name, partitions=1)
