"""Services: the worker, put together from its stages; started by faust or inside a test."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Collection, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import structlog

from hub.kernel.clocks import clock_from
from hub.kernel.settings import Settings
from hub.runtime import garbage
from hub.runtime.consumers import StageConsumer
from hub.runtime.decide_lanes import DecideLane
from hub.runtime.intake_stage import IntakeStage
from hub.runtime.progress import Progress
from hub.runtime.receivers import Sender
from hub.runtime.relays import Relay, cry
from hub.runtime.slots import Slot
from hub.runtime.stages import FatalError, Stage
from hub.runtime.timers import TimerStage
from hub.runtime.watchdog import Watchdog
from hub.runtime.webhook_lanes import WebhookLanes
from hub.runtime.wirings import DECIDE, INTAKE, Wiring
from hub.store import seen, subscriptions, timers
from hub.store.connections import close, connect
from hub.store.leases import owner_name
from hub.store.migrations import migrate

if TYPE_CHECKING:
    from hub.runtime.health import HealthServer

STAGES = ("intake", "decide", "deliver", "timers")
EXIT_CODE = 70
"""Exit code after anything unexpected; a supervisor starts the worker again."""
_STOP_SECONDS = 4.0

log = structlog.get_logger(__name__)


def exit_process(reason: str) -> None:
    """End this process at once; nothing is flushed to Kafka or the database."""
    sys.stderr.write(f"hub worker: {reason}\n")
    sys.stderr.flush()
    os._exit(EXIT_CODE)


class Worker:
    """Everything ``hub worker`` runs; also an asynchronous context for tests and demonstrations.

    Args:
        settings: Name the broker and the database.
        wiring: The table.
        stages: Which of :data:`STAGES` run here.
        fatal: Ends the process; a test gives a function that only takes note.
        send: Sends a copy to a webhook.
        health: Host and port of the health pages; None: no pages.
    """

    def __init__(
        self,
        settings: Settings,
        wiring: Wiring,
        *,
        stages: Collection[str] = STAGES,
        fatal: Callable[[str], None] = exit_process,
        send: Sender | None = None,
        health: tuple[str, int] | None = None,
    ) -> None:
        clock = clock_from(settings.clock, synthetic_people=settings.synthetic_people)
        owner = owner_name(uuid4().hex[:6])
        self.stage = Stage(settings, wiring, clock, owner, fatal)
        self._stages = stages
        self._webhooks = WebhookLanes(self.stage, send)
        self._slot = Slot(self.stage)
        self._consumers: list[StageConsumer] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.progress: list[Progress] = []
        self._watchdog = Watchdog(self.progress, fatal)
        self.health: HealthServer | None = None
        if health:
            # Loading the HTTP server takes longer than starting the rest.
            from hub.runtime.health import HealthServer

            self.health = HealthServer(*health, self.progress)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Bring the database up to date, take a slot, start the stages."""
        await self.stage.patient(self._prepare)
        garbage.settle()
        slot = await self.stage.patient(self._slot.acquire)
        self._run(self._slot.keep())
        if "intake" in self._stages:
            consumer = await self._consume(INTAKE, slot)
            self._run(IntakeStage(self.stage, consumer).run())
        if "decide" in self._stages:
            await self._decide(slot)
        if "timers" in self._stages:
            self._run(TimerStage(self.stage, self._sign("timers")).run())
        if "deliver" in self._stages:
            self._run(Relay(self.stage, self._sign("deliver"), self._webhooks).run())
        else:
            self._run(cry(self.stage))
        self._run(self.stage.alarms.keep(self.stage.stopping))
        self._run(self._tick())
        self._watchdog.start()
        if self.health:
            await self.health.start()

    async def stop(self) -> None:
        """Finish what is under way, at most a few seconds; offsets and state agree anyway."""
        self.stage.stopping.set()
        self.stage.bell.set()
        _done, late = await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._webhooks.stop()
        await asyncio.gather(*(one.stop() for one in self._consumers))
        self._watchdog.stop()
        if self.health:
            await self.health.stop()

    async def _prepare(self) -> None:
        connection = await connect(self.stage.settings.database)
        try:
            await migrate(connection)
            await seen.keep_months(connection, self.stage.clock.now())
            await subscriptions.register(connection, self.stage.wiring.subscriptions)
            self.stage.subscriptions.update(self.stage.wiring.subscriptions)
            await timers.start(connection, self.stage.wiring.timers(self.stage.now()))
        finally:
            await close(connection)

    async def _consume(self, name: str, slot: int) -> StageConsumer:
        consumer = StageConsumer(self.stage, name, self.stage.wiring.topics_of(name), slot)
        self.progress.append(consumer.progress)
        self._consumers.append(consumer)
        await self.stage.patient(consumer.start)
        self._run(consumer.watch())
        return consumer

    async def _decide(self, slot: int) -> None:
        consumer = await self._consume(DECIDE, slot)
        lanes = self.stage.settings.lanes
        for number in range(lanes):
            lane = DecideLane(
                self.stage, number, lanes, consumer.client, consumer.assignment, consumer.progress
            )
            consumer.holdings.append(lane.holding)
            self._run(lane.run())

    def _sign(self, name: str) -> Progress:
        progress = Progress(name)
        progress.ready = True
        self.progress.append(progress)
        return progress

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A part that died takes the worker with it: half a worker would look alive."""
        if task.cancelled() or task.exception() is None:
            return
        error = task.exception()
        if error is not None and not isinstance(error, FatalError):
            self.stage.end("worker", error)
        self.stage.stopping.set()

    async def _tick(self) -> None:
        while not self.stage.stopping.is_set():
            self._watchdog.tick()
            await self.stage.pause(1)
