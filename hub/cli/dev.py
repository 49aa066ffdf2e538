"""``hub dev``: everything on one machine, until Ctrl-C."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.languages import both
from hub.cli.output import line, say

PORT = both("网关端口,0 为任意空闲端口", "port of the gateway; 0: any free one")
WORKER = both("不启动工作进程", "start no worker")


def command(
    port: Annotated[int | None, typer.Option(help=PORT)] = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help=WORKER)] = False,
) -> None:
    """内置 Kafka 与 PostgreSQL、工作进程、网关 · Embedded services, a worker and the gateway."""
    import asyncio

    asyncio.run(_dev(port, worker=not no_worker))


async def _dev(port: int | None, *, worker: bool) -> None:
    from hub.cli.supervisors import kept_running
    from hub.embedded.services import embedded
    from hub.gateway.servers import serving
    from hub.kernel.settings import settings

    chosen = settings()
    if port is not None:
        chosen = chosen.model_copy(update={"gateway_port": port})
    async with embedded(chosen.data_dir, progress=show_step, settings=chosen) as services:
        await prepare(chosen, services.kafka, services.database)
        async with serving(chosen, kafka=services.kafka, database=services.database) as served:
            line()
            for name, place in (
                ("Kafka", services.kafka),
                ("PostgreSQL", services.database),
                (both("网关", "gateway"), f"{served.url}/"),
                (both("运维页面,十分钟内有效", "operators' page, for ten minutes"), None),
                ("", served.login_link()),
            ):
                line(f"{name}{': ' if name and place else ':' if name else '  '}{place or ''}")
            say("Ctrl-C 结束", "Ctrl-C ends it")
            environment = surroundings(chosen, services.kafka, services.database)
            await kept_running("worker", environment, wanted=worker)


async def prepare(settings: Any, kafka: str, database: str) -> None:
    """Make secrets, tables and topics of a hub that runs on its own.

    Args:
        settings: Before the embedded addresses were filled in, so that secrets may be made.
        kafka: Bootstrap servers.
        database: DSN.
    """
    import msgspec

    from hub.contracts.catalogues import catalogue
    from hub.contracts.provisions import apply
    from hub.gateway.contexts import SESSION_SECRET
    from hub.kernel.secrets import NAMES, Secrets
    from hub.store.connections import close, connect
    from hub.store.migrations import migrate

    Secrets.load(settings, (*NAMES, SESSION_SECRET))
    connection = await connect(database)
    try:
        await migrate(connection)
    finally:
        await close(connection)
    topics = [
        msgspec.structs.replace(topic, name=settings.wire(topic.name))
        for topic in catalogue().topics.values()
    ]
    await apply(kafka, topics, settings.partitions, settings.replication)


def surroundings(settings: Any, kafka: str, database: str) -> dict[str, str]:
    """Environment of a child process that shall use the same services and secrets."""
    import os

    return os.environ | {
        "HUB_KAFKA": kafka,
        "HUB_DATABASE": database,
        "HUB_DATA_DIR": str(settings.data_dir),
        "HUB_SECRETS_DIR": str(settings.secrets),
    }


def show_step(step: Any) -> None:
    """One line when a step of the services has ended."""
    if step.done:
        say(f"{step.zh} {step.seconds:.1f} 秒", f"{step.en} {step.seconds:.1f} s")
