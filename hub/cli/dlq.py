"""``hub dlq``: dead letters with their reason and the mend; never their content."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.languages import both, text
from hub.cli.loops import run
from hub.cli.output import json_document, line, moment, say, table
from hub.kernel.errors import HubError

app = typer.Typer(no_args_is_help=True, help=both("死信:列出、查看", "Dead letters: list, show"))
STATE = both("open(待处理)、settled(已解决)或 all", "open, settled or all")
CODE = both("只看该代码,如 E-ID-CHECK", "only this code, e.g. E-ID-CHECK")
SOURCE = both("只看该部门", "only this department")
LIMIT = both("最多行数", "rows at most")
JSON = both("以 JSON 输出", "print JSON")


@app.command("list", help=both("列出死信,新的在前", "List dead letters, the newest first"))
def listing(
    state: Annotated[str, typer.Option(help=STATE)] = "open",
    code: Annotated[str | None, typer.Option(help=CODE)] = None,
    source: Annotated[str | None, typer.Option(help=SOURCE)] = None,
    limit: Annotated[int, typer.Option(help=LIMIT, min=1, max=10_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """List dead letters."""
    rows = run(_list(state, code, source, limit))
    if as_json:
        json_document(rows)
        return
    if not rows:
        say("没有死信。", "No dead letters.")
        return
    table(
        [
            ("编号", "id"),
            ("时间", "failed at"),
            ("部门", "source"),
            ("代码", "code"),
            ("字段", "field"),
            ("原因与办法", "reason and mend"),
            ("次数", "tries"),
        ],
        [
            (
                row["id"][:8],
                moment(row["failed_at"]),
                row["source"],
                row["code"],
                row["field"],
                text(row["reason_zh"], row["reason_en"]),
                row["attempts"],
            )
            for row in rows
        ],
        right=(6,),
    )


@app.command("show", help=both("查看一条死信", "Show one dead letter"))
def show(
    name: Annotated[str, typer.Argument(help=both("编号或其开头", "id or its beginning"))],
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """Show one dead letter."""
    row = run(_one(name))
    if as_json:
        json_document(row)
        return
    for key, value in row.items():
        shown = moment(value) if key.endswith("_at") else value
        line(f"{key:<16} {'' if shown is None else shown}")
    if row["event_id"]:
        say(f"追踪:hub trace {row['event_id']}", f"its way: hub trace {row['event_id']}")


async def _list(
    state: str, code: str | None, source: str | None, limit: int
) -> list[dict[str, Any]]:
    import msgspec

    from hub.cli.stores import store
    from hub.store import reading

    if state not in {"open", "settled", "all"}:
        raise HubError(
            f"There is no state '{state}'.",
            hint="Use open, settled or all.",
            message_zh=f"没有状态 {state};可用 open、settled、all。",
        )
    wanted = None if state == "all" else state
    async with store() as (connection, _):
        views = await reading.dead_letters(connection, state=wanted, code=code, limit=10_000)
    rows = [msgspec.structs.asdict(view) for view in views if source in {None, view.source}]
    return [reasoned(row) for row in rows[:limit]]


async def _one(name: str) -> dict[str, Any]:
    from hub.cli.stores import store
    from hub.store import overviews

    async with store() as (connection, _):
        rows = await overviews.dead_letter(connection, name)
    if len(rows) != 1:
        problem = "several dead letters begin" if rows else "no dead letter begins"
        raise HubError(
            f"There {'are' if rows else 'is'} {problem} with {name}.",
            hint="'hub dlq list --state all --json' shows whole ids.",
            message_zh=f"{'有多条' if rows else '没有'}编号以 {name} 开头的死信;"
            "用 hub dlq list --state all --json 查看完整编号。",
        )
    return reasoned(rows[0])


def reasoned(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the sentence of its code."""
    from hub.kernel.reasons import CODES

    reason = CODES.get(row["code"])
    return {
        **row,
        "reason_zh": reason.zh if reason else "",
        "reason_en": reason.en if reason else "",
    }
