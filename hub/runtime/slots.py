"""Slots: a worker's static member id, leased, so that a restart is no rebalance."""

from __future__ import annotations

import asyncpg
import structlog

from hub.kernel.errors import HubError
from hub.kernel.worker_events import BEGAN, ENDED, LOST, WorkerEvent
from hub.runtime.stages import Stage, is_known_fault
from hub.store import leases
from hub.store.connections import close, connect
from hub.store.worker_events import note

_RENEW_SECONDS = 3.0

log = structlog.get_logger(__name__)


class SlotLostError(Exception):
    """Another worker has this one's member ids: whoever wakes up too late has to end."""


class Slot:
    """The slot of one worker.

    Args:
        stage: The worker's surroundings; ``worker_slot`` in its settings fixes the number.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.number: int | None = None

    async def acquire(self) -> int:
        """Lease a slot.

        Raises:
            HubError: none is free.
        """
        connection = await connect(self._stage.settings.database)
        try:
            fixed = self._stage.settings.worker_slot
            if fixed is not None:
                name, owner = f"slot/{fixed}", self._stage.owner
                got = await leases.acquire(connection, name, owner)
                self.number = fixed if got else None
            else:
                self.number = await leases.acquire_slot(connection, self._stage.owner)
            if self.number is not None:
                await self._note(connection, BEGAN)
        finally:
            await close(connection)
        if self.number is None:
            raise HubError(
                "No worker slot is free.",
                hint="Stop another worker, or unset HUB_WORKER_SLOT.",
                message_zh="没有空闲的工作进程槽位;请停止另一个进程,或取消 HUB_WORKER_SLOT。",
            )
        self._stage.slot = f"slot/{self.number}"
        return self.number

    async def keep(self) -> None:
        """Renew until the worker stops; a slot that went to somebody else ends the process."""
        connection: asyncpg.Connection | None = None
        name = self._stage.slot
        try:
            while not self._stage.stopping.is_set():
                await self._stage.pause(_RENEW_SECONDS)
                try:
                    connection = connection or await connect(self._stage.settings.database)
                    kept = await leases.acquire(connection, name, self._stage.owner)
                except Exception as error:
                    if not is_known_fault(error):
                        raise
                    await close(connection)
                    connection = None
                    continue
                if not kept:
                    await self._note(connection, LOST)
                    raise self._stage.end("slot lost", SlotLostError(name))
            if connection is not None:
                await leases.release(connection, name, self._stage.owner)
                await self._note(connection, ENDED)
        finally:
            await close(connection)

    async def _note(self, connection: asyncpg.Connection, kind: str) -> None:
        """For people to read: a database that fails here keeps nobody from beginning or ending."""
        event = WorkerEvent(self._stage.now(), kind, self._stage.owner, slot=str(self.number))
        try:
            await note(connection, event)
        except Exception as error:
            if not is_known_fault(error):
                raise
            log.warning("slot.not_noted", kind=kind, error=type(error).__name__)
