"""``hub sampler``: takes the figures that console, metrics and alerts show; sends the alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.languages import both
from hub.cli.loops import serve
from hub.cli.output import line, say

app = typer.Typer(help=both("采样、/metrics 与告警", "figures, /metrics and alerts"))

SECONDS = both("采样间隔(秒)", "seconds between pictures")
GRANTS = both("打印专用数据库角色的授权语句", "print the grants of a database role of its own")
PORT = both("/metrics 的端口,0 为任意空闲端口", "port of /metrics; 0: any free one")
OUT = both("写入的文件夹", "folder to write to")


@app.callback(invoke_without_command=True)
def command(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(help=SECONDS, min=0.5, max=60)] = 5.0,
    port: Annotated[int | None, typer.Option(help=PORT)] = None,
    grants: Annotated[bool, typer.Option("--grants", help=GRANTS)] = False,
) -> None:
    """采样并判断告警,直到 Ctrl-C;同一数据库同时只有一个采样进程工作 · Run until Ctrl-C.

    每 5 秒取数一次,供控制台、hub status、/metrics 与告警使用;另一进程可作后备 ·
    One look every 5 s for console, hub status, /metrics and alerts; a second process stands by.
    """
    if grants:
        from hub.store.roles import SAMPLER, statements

        line(f"CREATE ROLE {SAMPLER} LOGIN PASSWORD '…';")
        for statement in statements():
            line(f"{statement};")
    elif context.invoked_subcommand is None:
        serve(_run(seconds, port))


async def _run(seconds: float, port: int | None) -> None:
    import asyncio

    from hub.cli.addresses import addresses
    from hub.console.names import sentences
    from hub.kernel.settings import settings
    from hub.runtime.quiet_logs import install
    from hub.runtime.sampler_services import sampling

    install()
    chosen = settings()
    if port is not None:
        chosen = chosen.model_copy(update={"sampler_port": port})
    found = addresses(chosen)
    words, database = sentences(chosen), chosen.sampler_database or found.database
    async with sampling(chosen, found.kafka, database, words, seconds=seconds) as url:
        say("采样中,Ctrl-C 结束。", "sampling until Ctrl-C.")
        line(f"{both('指标', 'metrics')}: {url}/metrics")
        await asyncio.Event().wait()


@app.command("rules")
def rules(out: Annotated[Path, typer.Option(help=OUT)]) -> None:
    """写出随附的 Prometheus 规则与 Grafana 面板 · Write the shipped rules and dashboard."""
    from hub.monitoring.shipping import write

    for path in write(out):
        line(str(path))
