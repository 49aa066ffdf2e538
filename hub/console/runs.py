"""Runs: operations that this console carries out in the background, each in one process only."""

from __future__ import annotations

import asyncio

import structlog
from aiokafka.errors import KafkaError

from hub.console.contexts import Console
from hub.console.desks import Desk, desk, wired
from hub.contracts.replay_marks import ReplayKey
from hub.kernel.errors import HubError
from hub.kernel.secrets import Secrets
from hub.runtime.clients import producer
from hub.runtime.redrives import Redriver
from hub.runtime.replays import Replayer
from hub.store import operations
from hub.store.operations import Operation

log = structlog.get_logger(__name__)
_running: set[asyncio.Task[None]] = set()
REDRIVE = "redrive"


def start(console: Console, operation: str, person: str) -> None:
    """Run an approved operation; its progress is read from the database."""
    task = asyncio.create_task(_run(console, operation, person), name=f"operation {operation}")
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _run(console: Console, name: str, person: str) -> None:
    try:
        async with desk(console) as at:
            found = await operations.found(at.connection, name)
            if found.kind == REDRIVE:
                await _redrive(console, at, found, person)
            else:
                wiring = wired(at.settings)
                version = wiring.context(console.now()).profile.version
                replayer = Replayer(
                    at.connection, at.log, at.settings, wiring, version, console.now
                )
                await replayer.run(found, person)
    except (HubError, KafkaError, OSError) as error:
        # Paused where it stands: whoever looks at it may go on with it.
        log.warning("console.operation_stopped", operation=name, error=type(error).__name__)


async def _redrive(console: Console, at: Desk, found: Operation, person: str) -> None:
    client = producer(at.settings.kafka)
    await client.start()
    try:
        marks = ReplayKey(Secrets.load(at.settings, ("k_uid",)).k_uid)
        redriver = Redriver(at.connection, at.log, at.settings, console.now)
        await redriver.run(found, client, marks, person)
    finally:
        await client.stop()
