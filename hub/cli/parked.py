"""``hub parked``: webhook copies that wait for a person: list, show, retry, give up."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.languages import both, text
from hub.cli.loops import run
from hub.cli.operators import JSON, REASON, AsPerson, person
from hub.cli.output import json_document, line, moment, say, table
from hub.kernel.errors import HubError

app = typer.Typer(
    no_args_is_help=True,
    help=both("停放的投递:列出、查看、重试、放弃", "Parked copies: list, show, retry, give up"),
)
RECEIVER = both("项目(订阅)", "program (subscription)")
NUMBER = both("序号,或 代/序号,如 2/17", "number, or generation/number, e.g. 2/17")
ALL = both("该项目所有停放的投递", "all parked copies of that program")
LIMIT = both("最多行数", "rows at most")
Receiver = Annotated[str, typer.Argument(help=RECEIVER)]
Number = Annotated[str, typer.Argument(help=NUMBER)]
Who = Annotated[str | None, AsPerson]
Why = Annotated[str | None, typer.Option(help=REASON)]
_WHY = {"refused": ("对方拒收", "refused"), "exhausted": ("一天内未送达", "tried for a day")}


@app.command("list", help=both("列出停放的投递,旧的在前", "List parked copies, the oldest first"))
def listing(
    receiver: Annotated[str | None, typer.Argument(help=RECEIVER)] = None,
    limit: Annotated[int, typer.Option(help=LIMIT, min=1, max=10_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """List parked copies."""
    rows = run(_list(receiver, limit))
    if as_json:
        json_document(rows)
        return
    if not rows:
        say("没有停放的投递。", "Nothing is parked.")
        return
    heads = [("项目", "program"), ("代/序号", "number"), ("停放时间", "parked at")]
    heads += [("原因", "why"), ("对方答复", "answer"), ("次数", "tries")]
    heads += [("同人后续已送", "later ones sent"), ("对方已取", "fetched at")]
    cells = [
        (
            row["subscription"],
            f"{row['generation']}/{row['seq']}",
            moment(row["done_at"]),
            text(*_WHY.get(row["parked"], ("", ""))),
            row["error"],
            row["attempts"],
            row["behind"],
            moment(row["fetched_at"]) if row["fetched_at"] else "",
        )
        for row in rows
    ]
    table(heads, cells, right=(5, 6))


@app.command("show", help=both("查看一份投递(不含内容)", "Show one copy, without its content"))
def show(
    receiver: Receiver,
    number: Number,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """Show one parked copy."""
    row = run(_show(receiver, number))
    if as_json:
        json_document(row)
        return
    for key, value in row.items():
        shown = moment(value) if key.endswith("_at") and value else value
        line(f"{key:<14} {'' if shown is None else shown}")
    say(f"追踪:hub trace {row['event_id']}", f"its way: hub trace {row['event_id']}")


@app.command("retry", help=both("重新投递一份或全部", "Try one copy again, or all of them"))
def retry(
    receiver: Receiver,
    number: Annotated[str | None, typer.Argument(help=NUMBER)] = None,
    everything: Annotated[bool, typer.Option("--all", help=ALL)] = False,
    who: Who = None,
    reason: Why = None,
) -> None:
    """Try parked copies again."""
    if (number is None) != everything:
        raise HubError("Name one number, or say --all.", message_zh="请写明一个序号,或使用 --all。")
    found = run(_retry(receiver, number, *person(who, reason)))
    say(f"{found} 份将重新投递,顺序不变。", f"{found} to be tried again, in order.")


@app.command(
    "give-up", help=both("放弃投递:缺号保留,对方可自取", "Leave the gap; it can still be fetched")
)
def give_up(receiver: Receiver, number: Number, who: Who = None, reason: Why = None) -> None:
    """Give a parked copy up."""
    run(_give_up(receiver, number, *person(who, reason)))
    say(
        f"已放弃 {receiver} {number};对方仍可按序号取回。",
        f"{receiver} {number} is given up; its receiver can still fetch it.",
    )


async def _list(receiver: str | None, limit: int) -> list[dict[str, Any]]:
    import msgspec

    from hub.cli.stores import store
    from hub.store import parked

    async with store() as (connection, _):
        rows = await parked.listed(connection, subscription=receiver, limit=limit)
    return [msgspec.structs.asdict(row) for row in rows]


async def _show(receiver: str, number: str) -> dict[str, Any]:
    import msgspec

    from hub.cli.stores import store
    from hub.store import parked

    async with store() as (connection, _):
        seq, generation = await _number(connection, receiver, number)
        row = await parked.one(connection, receiver, seq, generation)
    if row is None:
        raise _unknown(receiver, number)
    return msgspec.structs.asdict(row)


async def _retry(receiver: str, number: str | None, who: str, reason: str) -> int:
    from hub.cli.stores import store
    from hub.store import parked

    async with store() as (connection, now):
        seq, generation = None, 0
        if number is not None:
            seq, generation = await _number(connection, receiver, number)
        found = await parked.retry(
            connection, receiver, seq, generation, person=who, reason=reason, now=now
        )
    if number is not None and not found:
        raise _unknown(receiver, number)
    return found


async def _give_up(receiver: str, number: str, who: str, reason: str) -> None:
    from hub.cli.stores import store
    from hub.store import parked

    async with store() as (connection, now):
        seq, generation = await _number(connection, receiver, number)
        if not await parked.give_up(
            connection, receiver, seq, generation, person=who, reason=reason, now=now
        ):
            raise _unknown(receiver, number)


async def _number(connection: Any, receiver: str, number: str) -> tuple[int, int]:
    """Sequence number and generation; by default of the present generation."""
    from hub.store import inboxes

    before, _, last = number.rpartition("/")
    if not last.isdecimal() or (before and not before.isdecimal()):
        raise _unknown(receiver, number)
    head = await inboxes.head(connection, receiver)
    return int(last), int(before) if before else (head.generation if head else 1)


def _unknown(receiver: str, number: str) -> HubError:
    return HubError(
        f"No copy {number} of {receiver} is parked.",
        hint="'hub parked list' shows those that are.",
        message_zh=f"{receiver} 没有停放的投递 {number};用 hub parked list 查看。",
    )
