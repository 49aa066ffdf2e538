"""``hub restore``: say that the database is an earlier one, and see the numberings."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.languages import both
from hub.cli.loops import run
from hub.cli.operators import JSON, REASON, AsPerson, person
from hub.cli.output import json_document, moment, say, table

app = typer.Typer(
    no_args_is_help=True,
    help=both("恢复:声明数据库已回到较早时刻", "Restores: say that the database is an earlier one"),
)


@app.command("show", help=both("各项目的编号与换代", "Numberings and their generations"))
def show(as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False) -> None:
    """Show numberings."""
    rows = run(_show())
    if as_json:
        json_document(rows)
        return
    heads = [("项目", "program"), ("代", "generation"), ("最后序号", "last number")]
    heads += [("待换为", "goes on as"), ("止于", "ended at")]
    names = ("subscription", "generation", "last_seq", "next_generation")
    cells = [
        (*(row[name] for name in names), moment(row["ended_at"]) if row["ended_at"] else "")
        for row in rows
    ]
    table(heads, cells, right=(1, 2, 3))


@app.command(
    "declare",
    help=both("数据库已恢复:编号换代,旧号不再使用", "It was restored: no number is used again"),
)
def declare(
    who: Annotated[str | None, AsPerson] = None,
    reason: Annotated[str | None, typer.Option(help=REASON)] = None,
) -> None:
    """Declare a restore."""
    found = run(_declare(*person(who, reason)))
    say(f"{found} 个编号将换代。", f"{found} numberings go on in a new generation.")


async def _show() -> list[dict[str, Any]]:
    from hub.cli.stores import store
    from hub.store import numberings

    async with store() as (connection, _):
        return await numberings.listed(connection)


async def _declare(who: str, reason: str) -> int:
    from hub.cli.stores import store
    from hub.store import numberings

    async with store() as (connection, now):
        return await numberings.declare(connection, person=who, reason=reason, now=now)
