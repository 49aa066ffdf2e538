"""Stages: what every stage of a worker shares."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import asyncpg
import structlog

from hub.kernel.clocks import Clock, epoch_ms
from hub.kernel.settings import Settings
from hub.runtime.alarms import Alarms
from hub.runtime.clients import is_broker_fault
from hub.runtime.metrics import RETRIES
from hub.runtime.solitudes import Solitude
from hub.runtime.wirings import Wiring
from hub.store.connections import FenceError, close, connect, cut_stalled, is_fault

T = TypeVar("T")

log = structlog.get_logger(__name__)

_PATIENCE = 60.0
_BACKOFF_FIRST = 0.1
_BACKOFF_MOST = 2.0
_PROVEN_SECONDS = 3.0
"""A process tries records alone only after it has lived so long with the others: where processes
die of something else (killed again and again, no memory at the start), no record is blamed."""


class FatalError(Exception):
    """The process has to end; whoever sees this lets it pass."""


@dataclass
class Stage:
    """The surroundings of one worker, handed to each of its parts.

    Attributes:
        settings: Of this hub.
        wiring: The table.
        clock: The one source of instants that are kept.
        owner: Name of this worker in claims and leases.
        fatal: Ends the process; in a test it only takes note.
        bell: Rung after every commit that queued something.
        stopping: Set when the worker is asked to stop.
        subscriptions: Ids known to be on record.
        slot: Name of the lease that makes this worker the only one with its member ids.
        solitude: Lets a record that may kill the process run alone.
        alarms: Call for people.
    """

    settings: Settings
    wiring: Wiring
    clock: Clock
    owner: str
    fatal: Callable[[str], None]
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    subscriptions: set[str] = field(default_factory=set)
    slot: str = ""
    solitude: Solitude = field(default_factory=Solitude)
    alarms: Alarms = field(init=False)
    _proven_at: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.alarms = Alarms(self.settings.database, self.now)

    def now(self) -> int:
        """Ms since 1970, by the hub's clock."""
        return epoch_ms(self.clock.now())

    def working(self) -> None:
        """Note that this process works from now on, if that was not noted before."""
        if self._proven_at is None:
            self._proven_at = time.monotonic() + _PROVEN_SECONDS

    @property
    def unproven_seconds(self) -> float:
        """For how long this process must live yet before it tries records alone."""
        if self._proven_at is None:
            return _PROVEN_SECONDS
        return max(0.0, self._proven_at - time.monotonic())

    def end(self, reason: str, error: BaseException) -> FatalError:
        """End the process; where it is not ended (a test), return what to raise."""
        if isinstance(error, FatalError):
            return error
        log.critical("fatal", reason=reason, at=where(error))
        self.fatal(reason)
        return FatalError(reason)

    async def patient(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do what a start needs; a broker or database that is away gets a minute to come up.

        Raises:
            Exception: what it failed with at last.
        """
        until, backoff = time.monotonic() + _PATIENCE, Backoff()
        while True:
            try:
                return await work()
            except Exception as error:
                late = self.stopping.is_set() or time.monotonic() > until
                if late or not is_known_fault(error):
                    raise
            await self.pause(backoff.step())

    async def unblock(self, error: BaseException) -> None:
        """After waiting for a lock in vain: cut whoever stands still inside a statement."""
        if not isinstance(error, asyncpg.LockNotAvailableError):
            return
        connection = None
        try:
            connection = await connect(self.settings.database)
            count = await cut_stalled(connection)
            log.warning("stalled sessions cut", count=count)
        except Exception as second:
            if not is_known_fault(second):
                raise
        finally:
            await close(connection)

    async def pause(self, seconds: float) -> None:
        """Wait, or return early because the worker stops."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return


class Backoff:
    """Growing pauses while a known fault lasts."""

    def __init__(self) -> None:
        self._next = _BACKOFF_FIRST

    def reset(self) -> None:
        """The fault is over."""
        self._next = _BACKOFF_FIRST

    def step(self) -> float:
        """Seconds to wait now."""
        now, self._next = self._next, min(self._next * 2, _BACKOFF_MOST)
        return now


def is_known_fault(error: BaseException) -> bool:
    """Whether to roll back, read the claims again and go on."""
    known = isinstance(error, FenceError) or is_fault(error) or is_broker_fault(error)
    if known:
        RETRIES.labels(type(error).__name__).inc()
        log.warning("fault", kind=type(error).__name__, notes=getattr(error, "__notes__", []))
    return known


def where(error: BaseException) -> str:
    """Class and place of an exception, without its text, which may quote a record."""
    cause = error.__cause__ or error
    frames = traceback.extract_tb(cause.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(cause).__name__}{place}"


def is_bad_value(error: BaseException) -> bool:
    """Whether PostgreSQL refused a value or a constraint failed: one event is at fault."""
    return isinstance(error, asyncpg.DataError | asyncpg.IntegrityConstraintViolationError)
