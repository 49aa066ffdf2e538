"""Services: Kafka and PostgreSQL started side by side, or those that the settings name."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.embedded import jars as kafka_jars
from hub.embedded.data_dirs import note_addresses, noted_addresses, sole_use
from hub.embedded.kafka import KafkaNode
from hub.embedded.postgres import PostgresNode
from hub.embedded.steps import Progress, reported, silent
from hub.kernel.settings import Settings
from hub.kernel.settings import settings as process_settings


@dataclass(frozen=True, slots=True)
class Services:
    """Where the services are.

    Attributes:
        kafka: Bootstrap servers.
        database: DSN of the database.
        broker: The embedded node; None when an external one is used.
        server: The embedded server; None when an external one is used.
    """

    kafka: str
    database: str
    broker: KafkaNode | None = None
    server: PostgresNode | None = None


def running(data_dir: Path) -> Services | None:
    """The services of the hub that runs on this data folder now, or None; starts nothing."""
    noted = noted_addresses(data_dir)
    return Services(*noted) if noted else None


@asynccontextmanager
async def embedded(
    data_dir: Path, *, progress: Progress = silent, settings: Settings | None = None
) -> AsyncIterator[Services]:
    """Start what the settings do not name, and stop it again at the end.

    Ctrl-C ends the caller's task as always. SIGTERM, unless the caller handles it, does the
    same, and the process then exits with code 143 once the services have stopped.

    Args:
        data_dir: Folder of both services; a later start finds the same data.
        progress: Receives the steps ``jars``, ``kafka`` and ``postgres``.
        settings: By default those of this process.

    Raises:
        HubError: another hub uses the folder, or a service cannot start; nothing is left running.
    """
    chosen = settings or process_settings()
    broker = None if chosen.kafka else KafkaNode(data_dir)
    server = None if chosen.database else PostgresNode(data_dir)
    held = sole_use(data_dir) if broker or server else nullcontext()
    with held, _ended_by_sigterm():
        try:
            await _side_by_side(
                *([_start_kafka(broker, chosen, progress)] if broker else []),
                *([_start_postgres(server, progress)] if server else []),
            )
            services = Services(
                broker.bootstrap if broker else chosen.kafka,
                server.dsn if server else chosen.database,
                broker,
                server,
            )
            if broker or server:
                note_addresses(data_dir, services.kafka, services.database)
            yield services
        finally:
            await _side_by_side(*(node.stop() for node in (broker, server) if node))


async def _start_kafka(node: KafkaNode, settings: Settings, progress: Progress) -> None:
    with reported(progress, "jars", "核对 Kafka 文件", "Verify the Kafka files") as tell:
        node.jars = await asyncio.to_thread(
            kafka_jars.ensure, bundle=settings.bundle, mirror=settings.maven_mirror, tell=tell
        )
    with reported(progress, "kafka", "启动 Kafka", "Start Kafka"):
        await node.start()


async def _start_postgres(node: PostgresNode, progress: Progress) -> None:
    with reported(progress, "postgres", "启动 PostgreSQL", "Start PostgreSQL"):
        await node.start()


async def _side_by_side(*work: Coroutine[Any, Any, None]) -> None:
    """Await all of them; when one fails the others are cancelled, and its own error raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Turn SIGTERM into a cancellation of this task, then into exit code 143."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    came: list[bool] = []

    def end() -> None:
        came.append(True)
        if task is None or task.done():
            # A test session enters and leaves in different tasks: end it as Ctrl-C would.
            raise KeyboardInterrupt
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        yield
    except asyncio.CancelledError:
        if came:
            raise SystemExit(128 + signal.SIGTERM) from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
