"""Running a connector: all its items at once, each at its own pace, until told to stop.

An item that fails is tried again with growing pauses and holds up no other. Stopping waits for
what is under way; being killed costs nothing either, as cursors follow acknowledgements.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import stamina
import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.intake.decoding import compile_decoder
from hub.kernel.clocks import Clock
from hub.kernel.errors import ConfigurationError, DataError, HubError
from hub.kernel.failpoints import Hit, passed
from hub.kernel.person_keys import RouteKey
from hub.sdk.durations import duration_ms
from hub.sdk.manifests import Item, Manifest
from hub.sdk.mappings import load_mapper
from hub.sdk.ways import FileOptions, QueueOptions, ViewOptions, Way
from hub.transports.cursors import CursorStore
from hub.transports.drops import DropFolder
from hub.transports.files import Check, FileReader, Progress, no_progress
from hub.transports.publishers import RecordSink
from hub.transports.queues import QueueReader
from hub.transports.records import Feed, RawRecord, RecordMaker
from hub.transports.switches import Switch
from hub.transports.tables import source_engine
from hub.transports.views import ViewReader

Poll = Callable[[], Awaitable[tuple[int, ...]]]
"""One look at a source; the counts have names, see ``_fields``."""

GRACE = 10.0
"""Seconds that polls under way get when the connector is told to stop."""

_FILE_SECONDS = 10.0
_QUEUE_SECONDS = 1.0
_PASSING = (SQLAlchemyError, KafkaError, OSError, TimeoutError, HubError)

_log = structlog.get_logger(__name__)


class Sources(NamedTuple):
    """Where a department's data is; empty: it has no such source.

    Attributes:
        database: ``postgresql://…`` of its exchange database, for views.
        kafka: Bootstrap servers of its own brokers, for queues.
        folder: Its drop folder, for files.
    """

    database: str = ""
    kafka: str = ""
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a connector works with.

    Attributes:
        sink: Publishes raw records.
        cursors: Keeps positions.
        route: ``K_route``.
        clock: Tells the time.
        maximum: ``Settings.max_body``.
        synthetic: ``Settings.synthetic_people``.
        settle: Seconds in which a dropped file must not change.
        progress: Told how far a file is read.
        hit: Told of every failpoint that is passed.
    """

    sink: RecordSink
    cursors: CursorStore
    route: RouteKey
    clock: Clock
    maximum: int = 1_000_000
    synthetic: bool = False
    settle: float = 5.0
    progress: Progress = no_progress
    hit: Hit = passed


class _Job(NamedTuple):
    item: Item
    way: Way
    seconds: float
    poll: Poll


class ConnectorRunner:
    """Runs the items of one connector that are read: by view, file or queue.

    Args:
        manifest: The connector's.
        sources: Where its data is.
        around: What it works with.

    Attributes:
        counters: ``(item, way, name)`` → number, e.g. ``("stays", "view", "sent")``; ``polls``
            and ``errors`` are counted for every item.
    """

    def __init__(self, manifest: Manifest, sources: Sources, around: Surroundings) -> None:
        self.switch = Switch()
        self.counters = self.switch.counters
        self._manifest = manifest
        self._sources = sources
        self._around = around
        self._strays = 0

    async def run(
        self, stop: asyncio.Event, *, once: bool = False, every: float | None = None
    ) -> None:
        """Poll until told to stop.

        Args:
            stop: Set by the caller; polls under way end first.
            once: Poll every item one time and return.
            every: Seconds between polls, instead of what the manifest says.

        Raises:
            ConfigurationError: nothing of this connector can be read with these sources.
            HubError: with ``once``, what an item still failed with at its third try.
        """
        while True:
            self.switch.restarted()
            async with AsyncExitStack() as stack:
                jobs = await self._jobs(stack)
                work = [
                    self._poll(job, attempts=3) if once else self._loop(job, stop, every)
                    for job in jobs
                ]
                await _until(stop, [asyncio.create_task(one) for one in work])
            if once or stop.is_set() or not self.switch.again:
                return

    async def _loop(self, job: _Job, stop: asyncio.Event, every: float | None) -> None:
        while not stop.is_set() and not self.switch.again:
            try:
                await self._poll(job, attempts=None)
            except ConfigurationError as error:
                # A missing right or column may be mended on the other side at any time.
                _log.error("item_failed", item=job.item.id, error=str(error))
            await self.switch.rest(every or job.seconds, stop)

    async def _poll(self, job: _Job, attempts: int | None) -> None:
        async for attempt in stamina.retry_context(
            on=_is_passing, attempts=attempts, timeout=None, wait_initial=0.5, wait_max=60
        ):
            with attempt:
                await self._counted(job)

    async def _counted(self, job: _Job) -> None:
        place = (job.item.id, job.way.value)
        self.counters[*place, "polls"] += 1
        try:
            done: Any = await job.poll()
        except Exception as error:
            self.counters[*place, "errors"] += 1
            self.switch.polled(*place, type(error).__name__)
            # The type only: a database's message may show a row.
            _log.warning("poll_failed", item=job.item.id, error=type(error).__name__)
            raise
        self.switch.polled(*place)
        for name, number in done._asdict().items():
            self.counters[*place, name] += number
        if job.way is Way.FILE and self._sources.folder:
            self._tell_of_strays(DropFolder(self._sources.folder))

    def _tell_of_strays(self, folder: DropFolder) -> None:
        """A file that fits no item would wait unseen for ever; its name may hold anything."""
        patterns = [item.file.pattern for item in self._manifest.items if item.file]
        strays = len(folder.unmatched(patterns))
        if strays > self._strays:
            _log.warning("files_of_no_item", connector=self._manifest.id, files=strays)
        self._strays = strays

    async def _jobs(self, stack: AsyncExitStack) -> list[_Job]:
        engine = None
        if self._sources.database:
            engine = source_engine(self._sources.database)
            stack.push_async_callback(engine.dispose)
        ways = [(item, way) for item in self._manifest.items for way in item.ways]
        jobs = [job for item, way in ways if (job := self._job(item, way, engine, stack))]
        if not jobs:
            raise ConfigurationError(
                f"Nothing of the connector {self._manifest.id} can be read.",
                hint="Name its database, folder or brokers; forms and requests need the gateway.",
                message_zh=f"连接器 {self._manifest.id} 没有可读取的来源;请指定其数据库、文件夹"
                "或 Kafka 地址(表单与接口方式由网关接收)。",
            )
        return jobs

    def _job(
        self, item: Item, way: Way, engine: AsyncEngine | None, stack: AsyncExitStack
    ) -> _Job | None:
        around, sources, options = self._around, self._sources, item.options(way)
        maker = RecordMaker(Feed.of(item, around.maximum), around.route, around.clock)
        match options:
            case ViewOptions() if engine:
                view = self._view(engine, options, maker)
                return _Job(item, way, duration_ms(options.every) / 1000, view.poll)
            case FileOptions() if sources.folder:
                file = self._file(item, options, maker, sources.folder)
                return _Job(item, way, _FILE_SECONDS, file.poll)
            case QueueOptions() if sources.kafka:
                queue = QueueReader(
                    sources.kafka, options, maker, around.sink, around.cursors, hit=around.hit
                )
                stack.push_async_callback(queue.close)
                return _Job(item, way, _QUEUE_SECONDS, queue.poll)
        return None

    def _view(self, engine: AsyncEngine, options: ViewOptions, maker: RecordMaker) -> ViewReader:
        around = self._around
        return ViewReader(
            engine,
            options,
            maker,
            around.sink,
            around.cursors,
            around.clock,
            deletions=options.deletions,
            hit=around.hit,
        )

    def _file(
        self, item: Item, options: FileOptions, maker: RecordMaker, folder: Path
    ) -> FileReader:
        around = self._around
        return FileReader(
            DropFolder(folder, around.settle),
            options,
            maker,
            around.sink,
            around.cursors,
            synthetic=around.synthetic,
            check=check_of(self._manifest, item),
            progress=around.progress,
            hit=around.hit,
        )


def check_of(manifest: Manifest, item: Item) -> Check:
    """The item's mapping, run for its errors: what intake would refuse goes back to the office.

    Raises:
        ConfigurationError: the mapping cannot be loaded.
    """
    mapper = load_mapper(manifest, item)
    decode = compile_decoder(mapper.raw)

    def check(record: RawRecord) -> None:
        raw = decode(record.value)
        try:
            mapper.function(raw)
        except DataError:
            raise
        except Exception:  # noqa: BLE001 - a mapping's own fault is isolated, as intake does
            raise DataError("E-BUG") from None

    return check


def _is_passing(error: Exception) -> bool:
    return isinstance(error, _PASSING) and not isinstance(error, ConfigurationError)


async def _until(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    told = asyncio.create_task(stop.wait())
    try:
        pending = set(tasks)
        while pending and not told.done():
            done, _ = await asyncio.wait({told, *pending}, return_when=asyncio.FIRST_COMPLETED)
            pending -= done
            # A program error in one item ends the connector: it must not go on half.
            if any(task.exception() for task in done):
                stop.set()
                break
        if pending:
            await asyncio.wait(pending, timeout=GRACE)
    finally:
        for task in (told, *tasks):
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
