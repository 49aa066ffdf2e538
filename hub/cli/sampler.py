"""``hub sampler``: takes the figures that console, metrics and alerts show."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated

import typer

from hub.cli.languages import both
from hub.cli.output import line, say
from hub.kernel.settings import settings

GRANTS = both("打印专用数据库角色的授权语句", "print the grants of a database role of its own")
SECONDS = both("采样间隔(秒)", "seconds between pictures")


def command(
    seconds: Annotated[float, typer.Option(help=SECONDS, min=0.5, max=60)] = 5.0,
    grants: Annotated[bool, typer.Option("--grants", help=GRANTS)] = False,
) -> None:
    """采样,直到 Ctrl-C;同一数据库同时只有一个采样进程工作 · Take pictures until Ctrl-C."""
    if grants:
        from hub.store.roles import SAMPLER, statements

        line(f"CREATE ROLE {SAMPLER} LOGIN PASSWORD '…';")
        for statement in statements():
            line(f"{statement};")
        return
    asyncio.run(_run(seconds))


async def _run(seconds: float) -> None:
    from hub.cli.addresses import addresses
    from hub.runtime.quiet_logs import install
    from hub.runtime.samplers import Sampler

    install()
    chosen = settings()
    found = addresses(chosen)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    say("采样中,Ctrl-C 结束。", "sampling until Ctrl-C.")
    database = chosen.sampler_database or found.database
    await Sampler(chosen, found.kafka, database, seconds=seconds).run(stop)
