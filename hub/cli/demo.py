"""``hub demo``: a city at work, on this machine."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from hub.cli.loops import run
from hub.kernel.settings import settings

FAILED = 1
"""Exit code when an expectation does not hold."""


class Incident(StrEnum):
    """What can go wrong in a demonstration."""

    SILENT = "silent"
    POISON = "poison"
    SLOW_PROGRAM = "slow-program"
    FLOOD = "flood"
    STUCK = "stuck"


app = typer.Typer(add_completion=False, invoke_without_command=True)


@app.callback()
def command(
    context: typer.Context,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="演完故事、核对后退出 · Play the story, check, exit")
    ] = False,
    people: Annotated[int, typer.Option(min=0, help="城市人口 · People of the city")] = 2000,
    rate: Annotated[
        float, typer.Option(min=0, help="之后每秒的记录数 · Records per second afterwards")
    ] = 5.0,
    seed: Annotated[int, typer.Option(help="随机种子 · Seed of the city")] = 1,
    fresh: Annotated[
        bool, typer.Option("--fresh/--keep", help="清空数据重新开始 · Begin with empty data")
    ] = False,
    incident: Annotated[
        Incident | None,
        typer.Option(help="演一次故障,请在控制台找出 · Something breaks: find it in the console"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · JSON output")] = False,
) -> None:
    """在本机看一座城市运转 · A city at work, on this machine."""
    if context.invoked_subcommand is not None:
        return
    from hub.cli.demos.shows import Options, show

    broken = incident.value if incident else ""
    options = Options(once, people, rate, seed, fresh, as_json, broken)
    if not run(show(settings(), options)):
        raise typer.Exit(FAILED)


@app.command("send")
def send(
    what: Annotated[str, typer.Argument(help="grant 或 admission · grant or admission")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · JSON output")] = False,
) -> None:
    """在另一终端自己送一条记录,看转介与理由 · Send a record, see referrals and reasons."""
    from hub.cli.demos.sendings import send as do

    run(do(settings(), what, as_json=as_json))
