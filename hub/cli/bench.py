"""``hub bench``: events per second and CPU per event, beside a plain forward of the same bytes."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.output import json_document, table
from hub.kernel.settings import settings

if TYPE_CHECKING:
    from hub.runtime.bench_runs import Figures

app = typer.Typer(help="吞吐测量 · Throughput", no_args_is_help=True, add_completion=False)
Events = Annotated[int, typer.Option(min=1000, help="记录条数 · number of records")]
_ROWS = {
    "deliveries": ("送达", "Deliveries"),
    "denials": ("拒绝转发", "Denials on record"),
    "audit": ("审计记录", "Audit rows"),
}
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · JSON output")]


@app.command()
def intake(events: Events = 100_000, as_json: Json = False) -> None:
    """接入:原始记录转为规范事件 · raw records to canonical events."""
    _measure("intake", events, as_json)


@app.command()
def decide(events: Events = 50_000, as_json: Json = False) -> None:
    """决策:规范事件到提交的事务 · canonical events to committed transactions."""
    _measure("decide", events, as_json)


def _measure(job: str, events: int, as_json: bool) -> None:
    figures = asyncio.run(_run(job, events))
    if as_json:
        json_document(
            [{name: getattr(one, name) for name in one.__struct_fields__} for one in figures]
        )
        return
    table(
        (
            ("任务", "Job"),
            ("条数", "Events"),
            ("每秒", "Per second"),
            ("与转发之比", "To forward"),
            ("工作进程 µs", "Worker µs"),
            ("Kafka µs", "Broker µs"),
            ("数据库 µs", "Database µs"),
        ),
        [(one.job, one.events, one.per_second, one.ratio, *one.micros.values()) for one in figures],
        title=("每条事件的 CPU 用时", "CPU time per event"),
        right=range(1, 7),
    )
    table(
        (("输入", "Input"), ("占比与大小", "Share and size")),
        list(figures[-1].mix.items()),
        title=("记录构成;接入的输入有 0.5% 错误", "The mix; 0.5 % of intake's input is bad"),
    )
    if figures[-1].rows:
        table(
            (("每条事件", "Per event"), ("行数", "Rows")),
            [
                (_ROWS[name][0] + " · " + _ROWS[name][1], rows)
                for name, rows in figures[-1].rows.items()
            ],
            title=(
                "虚构城市的普通一天",
                "An ordinary day of the invented city",
            ),
            right=(1,),
        )


async def _run(job: str, events: int) -> list[Figures]:
    from hub.embedded.services import embedded
    from hub.runtime.benches import run

    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        place = Path(folder)
        chosen = settings().model_copy(update={"data_dir": place, "synthetic_people": True})
        async with embedded(place, settings=chosen) as services:
            return await run(chosen, services, job, events)
