"""The stage: services, hub, departments' systems and programs, started side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg
import msgspec
from aiokafka import TopicPartition

from hub.cli.demos.observers import Observer
from hub.cli.demos.receivers import Receivers
from hub.cli.demos.runs import RunNote, keep, next_run
from hub.cli.demos.setups import EXCHANGE, Town, load_opening, make_tables, make_topics
from hub.cli.demos.subjects import Subjects
from hub.cli.demos.worker_processes import WorkerProcess
from hub.contracts.catalogues import catalogue
from hub.embedded.city.casts import cast
from hub.embedded.city.households import Households
from hub.embedded.city.offices import Offices
from hub.embedded.databases import database_dsn
from hub.embedded.steps import Progress, reported
from hub.gateway.keys import development_key
from hub.gateway.servers import Served, serving
from hub.kernel.clocks import SystemClock
from hub.kernel.person_keys import RouteKey, UidKey
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.runtime.wiring import agreements
from hub.sdk.manifests import Manifest, load_manifests
from hub.sdk.profiles import Profile, load_profile
from hub.sdk.ways import Way
from hub.store.connections import pool
from hub.transports.cursors import DatabaseCursors
from hub.transports.heartbeats import Heart
from hub.transports.publishers import Publisher
from hub.transports.runners import ConnectorRunner, Sources, Surroundings

_SETTLE_SECONDS = 0.05
_EVERY = {Way.QUEUE: 0.15, Way.VIEW: 0.7, Way.FILE: 0.4}
"""Seconds between two looks at a source; far shorter than departments agree to."""


@dataclass
class Stage:
    """Everything that runs.

    Attributes:
        settings: Of this demonstration, with the addresses of both services.
        run: Number of the run.
        town: People of the story and of the rest of the city.
        manifests: Connector id → manifest.
        profile: Rules and their sentences.
        secrets: All of the hub's.
        exchange: DSN of the departments' database.
        tasks: What runs beside the story.
        machines: Connector id → what runs at that department: its connector and its heartbeat.
        muted: Connectors whose departments write nothing just now.
        failure: What ended one of them.
    """

    settings: Settings
    run: RunNote
    town: Town
    manifests: dict[str, Manifest]
    profile: Profile
    secrets: Secrets
    exchange: str
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    machines: dict[str, list[asyncio.Task[None]]] = field(default_factory=dict)
    muted: set[str] = field(default_factory=set)
    failure: list[BaseException] = field(default_factory=list)
    stopping: bool = False
    pool: asyncpg.Pool = field(init=False)
    worker: WorkerProcess = field(init=False)
    served: Served = field(init=False)
    offices: Offices = field(init=False)
    receivers: Receivers = field(init=False)
    observer: Observer = field(init=False)
    around: Surroundings = field(init=False)

    def connect(self, name: str) -> None:
        """Start a department's connector and its heartbeat; those that only push have none."""
        settings, manifest, stop = self.settings, self.manifests[name], asyncio.Event()
        ways = {way for item in manifest.items for way in item.ways if way in _EVERY}
        if not ways:
            return
        sources = Sources(self.exchange, settings.kafka, settings.data_dir / "drops" / name)
        runner = ConnectorRunner(manifest, sources, self.around)
        key = development_key(settings, f"department:{name}")
        heart = Heart(self.served.url, key, name, runner.switch)
        self.machines[name] = [
            self.beside(runner.run(stop, every=min(_EVERY[way] for way in ways))),
            self.beside(heart.run(stop)),
        ]

    def invite(self) -> None:
        """Let ``hub demo send`` in; before, a record of somebody else would spoil the check."""
        note = msgspec.structs.replace(self.run, gateway=self.served.url, exchange=self.exchange)
        self.run = keep(self.settings.data_dir, note)

    def places(self, *beginnings: str) -> list[TopicPartition]:
        """Partitions of the declared topics whose names begin so."""
        return [
            TopicPartition(topic.name, number)
            for topic in catalogue().topics.values()
            if topic.name.startswith(beginnings)
            for number in range(topic.partitions or self.settings.partitions)
        ]

    def beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside the story; if it fails, the demonstration ends with its error."""
        whole = asyncio.current_task()
        task = asyncio.create_task(work)

        def ended(done: asyncio.Task[None]) -> None:
            error = None if done.cancelled() else done.exception()
            if error is not None and not self.stopping:
                self.failure.append(error)
                if whole is not None:
                    whole.cancel()

        task.add_done_callback(ended)
        self.tasks.append(task)
        return task


@asynccontextmanager
async def opened(
    settings: Settings, *, people: int, seed: int, progress: Progress
) -> AsyncIterator[Stage]:
    """Start everything but the services; at the end all of it stops, the parts side by side.

    Args:
        settings: Of the demonstration, with the addresses of both services.
        people: People of the city besides the story's.
        seed: Of the city.
        progress: Told every step.

    Raises:
        HubError: a part does not start, or ended; nothing is left running.
    """
    stage = _declared(settings, people, seed)
    try:
        async with AsyncExitStack() as stack:
            await _started(stack, stage, progress)
            yield stage
    except asyncio.CancelledError:
        if stage.failure:
            raise stage.failure[0] from None
        raise
    finally:
        keep(settings.data_dir, msgspec.structs.replace(stage.run, gateway=""))


def _declared(settings: Settings, people: int, seed: int) -> Stage:
    run = next_run(settings.data_dir, people=people, seed=seed)
    today: date = SystemClock().now().date()
    city = list(Households(run.seed, today=today).draw(run.people))
    return Stage(
        settings,
        run,
        Town(cast(run.number, today), city, today),
        load_manifests(settings),
        load_profile(settings.profile, settings.profiles_dir),
        Secrets.load(settings),
        database_dsn(settings.database, EXCHANGE),
    )


async def _started(stack: AsyncExitStack, stage: Stage, progress: Progress) -> None:
    settings = stage.settings
    with reported(progress, "topics", "建立主题", "Create the topics"):
        await make_topics(settings, stage.manifests)
    stage.worker = WorkerProcess(settings)
    await stage.worker.start()
    stack.push_async_callback(_stopped, stage)
    with reported(progress, "opening", "建表、装载期初名册", "Tables and opening balance"):
        await make_tables(settings.database, stage.exchange, stage.manifests)
        uid = UidKey(stage.secrets.k_uid)
        stage.run = await load_opening(settings, stage.run, stage.town, uid, stage.profile)
    stage.pool = await pool(settings.database, size=6)
    stack.push_async_callback(stage.pool.close)
    with reported(progress, "gateway", "启动网关", "Start the gateway"):
        stage.served = await stack.enter_async_context(
            serving(settings, kafka=settings.kafka, database=settings.database)
        )
    await _populated(stack, stage, progress)


async def _populated(stack: AsyncExitStack, stage: Stage, progress: Progress) -> None:
    settings, agreed = stage.settings, agreements(stage.settings)
    subjects = Subjects(stage.town.cast, stage.secrets, agreed)
    stage.observer = Observer(settings.kafka, stage.pool, subjects.of)
    stage.receivers = Receivers(
        settings, agreed, stage.served.url, stage.secrets.k_program, stage.observer.note
    )
    stage.offices = Offices(
        stage.manifests,
        stage.exchange,
        settings.kafka,
        settings.data_dir / "drops",
        stage.served.url,
        lambda connector: development_key(settings, f"department:{connector}"),
    )
    for work in stage.receivers.work():
        stage.beside(work)
    stage.beside(stage.observer.tail(stage.places("event.")))
    stage.beside(stage.observer.link())
    with reported(progress, "departments", "部门与连接器就位", "Departments and connectors"):
        await stack.enter_async_context(stage.offices)
        await _connected(stack, stage)
    await asyncio.gather(
        _told(progress, stage.receivers.opened(), "programs", "项目就位", "Programs"),
        _told(progress, stage.worker.ready(), "worker", "工作进程就位", "Worker"),
        stage.observer.opened(),
    )
    stage.beside(stage.worker.watch())
    # Once more, so that it comes before anything that the tasks use is closed.
    stack.push_async_callback(_stopped, stage)


async def _told(
    progress: Progress, work: Coroutine[Any, Any, None], name: str, zh: str, en: str
) -> None:
    with reported(progress, name, zh, en):
        await work


async def _connected(stack: AsyncExitStack, stage: Stage) -> None:
    """Run every connector's items; those that departments push come by the gateway."""
    settings, clock = stage.settings, SystemClock()
    sink = await stack.enter_async_context(Publisher(settings.kafka, "hub-connectors"))
    around = Surroundings(
        sink,
        DatabaseCursors(stage.pool, clock),
        RouteKey(stage.secrets.k_route),
        clock,
        synthetic=True,
        settle=_SETTLE_SECONDS,
    )
    stage.around = around
    for name in stage.manifests:
        stage.connect(name)


async def _stopped(stage: Stage) -> None:
    stage.stopping = True
    for task in stage.tasks:
        task.cancel()
    ended = asyncio.gather(*stage.tasks, return_exceptions=True)
    await asyncio.gather(ended, stage.worker.stop())
