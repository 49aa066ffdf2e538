"""``hub approvals``: operations that one person asks for and another approves; run, pause, stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from hub.cli.languages import both, text
from hub.cli.loops import run
from hub.cli.operators import JSON, REASON, AsPerson, desk, person
from hub.cli.output import json_document, line, moment, say, table
from hub.kernel.errors import HubError

app = typer.Typer(
    no_args_is_help=True,
    help=both(
        "批量或更改内容的操作:由一人提出、另一人批准,再执行",
        "Bulk or edited operations: one person asks, another approves, then it runs",
    ),
)
NAME = both("操作编号或其开头", "id of the operation or its beginning")
ALL = both("也列出已结束的", "ended ones too")
Name = Annotated[str, typer.Argument(help=NAME)]
Who = Annotated[str | None, AsPerson]
Why = Annotated[str | None, typer.Option(help=REASON)]


@app.command("list", help=both("列出操作", "List operations"))
def listing(
    everything: Annotated[bool, typer.Option("--all", help=ALL)] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """List operations."""
    rows = run(_list(everything))
    if as_json:
        json_document(rows)
        return
    if not rows:
        say("没有未结束的操作。", "No operation is open.")
        return
    heads = [("编号", "id"), ("种类", "kind"), ("状态", "state"), ("提出", "asked by")]
    heads += [("批准", "approved by"), ("时间", "asked at"), ("条数", "records"), ("完成", "done")]
    heads += [("理由", "reason")]
    cells = [
        (
            row["id"][:8],
            row["kind"],
            row["state"],
            row["asked_by"],
            row["approved_by"],
            moment(row["asked_at"]),
            row["total"],
            row["done"] + row["skipped"],
            row["reason"],
        )
        for row in rows
    ]
    table(heads, cells, right=(6, 7))


@app.command("show", help=both("查看一项操作及每条的结果", "Show an operation and its records"))
def show(name: Name, as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False) -> None:
    """Show one operation."""
    found = run(_show(name))
    if as_json:
        json_document(found)
        return
    for key, value in found.items():
        if key != "items":
            line(f"{key:<12} {moment(value) if key.endswith('_at') else value}")
    heads = [("序号", "n"), ("对象", "of"), ("状态", "state"), ("结果", "result")]
    table(heads, [(i["n"], i["ref"], i["state"], i["result"]) for i in found["items"]], right=(0,))


@app.command("approve", help=both("批准他人提出的操作", "Approve what somebody else asked for"))
def approve(name: Name, who: Who = None, reason: Why = None) -> None:
    """Approve an operation."""
    _judge(name, who, reason, approved=True)


@app.command("refuse", help=both("否决他人提出的操作", "Refuse what somebody else asked for"))
def refuse(name: Name, who: Who = None, reason: Why = None) -> None:
    """Refuse an operation."""
    _judge(name, who, reason, approved=False)


@app.command(
    "run", help=both("执行或继续已批准的操作", "Run an approved operation, or go on with it")
)
def carry_on(name: Name, who: Who = None) -> None:
    """Run an operation to its end."""
    found = run(_run(name, person(who, "run")[0]))
    say(
        f"操作 {found.id[:8]}:{found.state},已发送 {found.done},略过 {found.skipped}",
        f"operation {found.id[:8]}: {found.state}, {found.done} sent, {found.skipped} left out",
    )


@app.command("pause", help=both("暂停执行中的操作", "Pause an operation that runs"))
def pause(name: Name, who: Who = None) -> None:
    """Pause an operation; ``run`` goes on with it."""
    _turn(name, who, "paused")


@app.command("stop", help=both("终止操作,不再继续", "Stop an operation for good"))
def stop(name: Name, who: Who = None) -> None:
    """Stop an operation."""
    _turn(name, who, "stopped")


def _judge(name: str, who: str | None, reason: str | None, *, approved: bool) -> None:
    from hub.store import operations

    account, why = person(who, reason)

    async def act(connection: Any, operation: Any, now: int) -> None:
        await operations.judge(
            connection, operation, account, approved=approved, reason=why, now=now
        )

    _act(name, act)
    word = text("批准" if approved else "否决", "approved" if approved else "refused")
    line(f"{word}: {name}")
    if approved:
        say(f"执行:hub approvals run {name} --as 账号", f"run it: hub approvals run {name}")


def _turn(name: str, who: str | None, state: str) -> None:
    from hub.store import operations

    account = person(who, state)[0]

    async def act(connection: Any, operation: Any, now: int) -> None:
        await operations.turn(connection, operation, state, account, now=now)

    _act(name, act)
    line(f"{name}: {state}")


def _act(name: str, act: Callable[[Any, Any, int], Awaitable[None]]) -> None:
    from hub.cli.stores import store
    from hub.store import operations

    async def go() -> None:
        async with store() as (connection, now):
            await act(connection, await operations.found(connection, name), now)

    run(go())


async def _list(everything: bool) -> list[dict[str, Any]]:
    import msgspec

    from hub.cli.stores import store
    from hub.store import operations

    async with store() as (connection, _):
        found = await operations.listed(connection, everything=everything)
    return [msgspec.structs.asdict(operation) for operation in found]


async def _show(name: str) -> dict[str, Any]:
    import msgspec

    from hub.cli.stores import store
    from hub.store import operations

    async with store() as (connection, _):
        operation = await operations.found(connection, name)
        items = await operations.items(connection, operation.id)
    rows = [{"n": i.n, "ref": i.ref, "state": i.state, "result": i.result} for i in items]
    return {**msgspec.structs.asdict(operation), "items": rows}


async def _run(name: str, who: str) -> Any:
    from hub.cli import dlq_redrive
    from hub.store import operations

    async with desk() as at:
        operation = await operations.found(at.connection, name)
        if operation.kind != "redrive":
            raise HubError(
                f"A {operation.kind} is not run here.",
                hint="'hub replay --operation ID' runs it.",
                message_zh=f"{operation.kind} 不在此执行;用 hub replay --operation 编号。",
            )
        return await dlq_redrive.carry_on(at, operation, who)
