"""``hub dlq``: dead letters with their reason and the mend; their content is masked."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.languages import both, text
from hub.cli.loops import run
from hub.cli.operators import JSON, REASON, SINCE, UNTIL, AsPerson, desk, instant, person
from hub.cli.output import json_document, line, moment, say, table
from hub.kernel.errors import HubError

app = typer.Typer(
    no_args_is_help=True,
    help=both("死信:列出、查看、重投", "Dead letters: list, show, redrive"),
)
STATE = both(
    "open(待处理)、settled(已解决)、quarantined(已隔离)或 all",
    "open, settled, quarantined or all",
)
CODE = both("只看该代码,如 E-ID-CHECK", "only this code, e.g. E-ID-CHECK")
SOURCE = both("只看该部门", "only this department")
TYPE = both("只看该类事件", "only this event type")
STAGE = both("只看该环节:edge、intake、decide", "only this stage: edge, intake, decide")
MATTER = both("只看该事项", "only this matter")
LIMIT = both("最多行数", "rows at most")
GROUPED = both("按代码、部门、模式版本汇总", "counts by code, department and schema version")
RAW = both(
    "显示原始字节(十六进制);须注明操作人和理由", "show the bytes as hex; needs --as, --reason"
)
NAME = both("编号或其开头", "id or its beginning")


@app.command("list", help=both("列出死信,新的在前", "List dead letters, the newest first"))
def listing(
    state: Annotated[str, typer.Option(help=STATE)] = "open",
    code: Annotated[str | None, typer.Option(help=CODE)] = None,
    source: Annotated[str | None, typer.Option(help=SOURCE)] = None,
    event_type: Annotated[str | None, typer.Option("--type", help=TYPE)] = None,
    stage: Annotated[str | None, typer.Option(help=STAGE)] = None,
    matter: Annotated[str | None, typer.Option(help=MATTER)] = None,
    since: Annotated[str | None, typer.Option(help=SINCE)] = None,
    until: Annotated[str | None, typer.Option(help=UNTIL)] = None,
    limit: Annotated[int, typer.Option(help=LIMIT, min=1, max=10_000)] = 50,
    grouped: Annotated[bool, typer.Option("--group", help=GROUPED)] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """List dead letters."""
    wanted = wanting(
        state, code=code, source=source, type=event_type, stage=stage, matter=matter,
        since=instant(since), until=instant(until),
    )  # fmt: skip
    rows = run(_groups(wanted) if grouped else _list(wanted, limit))
    if as_json:
        json_document(rows)
    elif not rows:
        say("没有死信。", "No dead letters.")
    elif grouped:
        _grouped(rows)
    else:
        _listed(rows)


def _listed(rows: list[dict[str, Any]]) -> None:
    heads = [("编号", "id"), ("时间", "failed at"), ("部门", "source"), ("代码", "code")]
    heads += [("字段", "field"), ("原因与办法", "reason and mend"), ("次数", "tries")]
    cells = [
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
    ]
    table(heads, cells, right=(6,))


def _grouped(rows: list[dict[str, Any]]) -> None:
    heads = [("代码", "code"), ("部门", "source"), ("事件", "type"), ("模式", "schema")]
    heads += [("条数", "count"), ("最早", "first"), ("最近", "last")]
    names = ("code", "source", "type", "schema", "count")
    cells = [
        (*(row[name] for name in names), moment(row["first_at"]), moment(row["last_at"]))
        for row in rows
    ]
    table(heads, cells, right=(4,))


@app.command("show", help=both("查看一条死信,内容已脱敏", "Show one dead letter, masked"))
def show(
    name: Annotated[str, typer.Argument(help=NAME)],
    raw: Annotated[bool, typer.Option("--raw", help=RAW)] = False,
    who: Annotated[str | None, AsPerson] = None,
    reason: Annotated[str | None, typer.Option(help=REASON)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """Show one dead letter."""
    act = person(who, reason) if raw else None
    row = run(_one(name, act))
    if as_json:
        json_document(row)
        return
    for key, value in row.items():
        if key in {"content", "raw"}:
            continue
        shown = moment(value) if key.endswith("_at") else value
        line(f"{key:<16} {'' if shown is None else shown}")
    if row["content"] is None:
        say("原始内容已不在。", "its bytes are not kept.")
    else:
        say("内容(已脱敏):", "content, masked:")
        json_document(row["content"]["fields"])
    if raw:
        line(row["raw"] or "")
    if row["event_id"]:
        say(f"追踪:hub trace {row['event_id']}", f"its way: hub trace {row['event_id']}")


def wanting(state: str, **values: Any) -> Any:
    """A filter of the index.

    Raises:
        HubError: there is no such state.
    """
    from hub.store.dead_letter_index import Filter
    from hub.store.dead_letters import STATES

    if state not in {*STATES, "all"}:
        raise HubError(
            f"There is no state '{state}'.",
            hint="Use open, settled, quarantined or all.",
            message_zh=f"没有状态 {state};可用 open、settled、quarantined、all。",
        )
    return Filter(state=None if state == "all" else state, **values)


async def _list(wanted: Any, limit: int) -> list[dict[str, Any]]:
    import msgspec

    from hub.cli.stores import store
    from hub.store import dead_letter_index

    async with store() as (connection, _):
        found = await dead_letter_index.find(connection, wanted, limit=limit)
    return [reasoned(msgspec.structs.asdict(letter)) for letter in found]


async def _groups(wanted: Any) -> list[dict[str, Any]]:
    import msgspec

    from hub.cli.stores import store
    from hub.contracts.catalogues import catalogue
    from hub.store import dead_letter_index

    async with store() as (connection, _):
        found = await dead_letter_index.groups(connection, wanted)
    files = catalogue().files_by_id
    return [
        {
            **msgspec.structs.asdict(group),
            "schema": "raw"
            if group.schema_id is None
            else f"{files.get(group.schema_id, '?')}#{group.schema_id}",
        }
        for group in found
    ]


async def _one(name: str, act: tuple[str, str] | None) -> dict[str, Any]:
    import msgspec

    from hub.deadletters.views import view
    from hub.runtime.originals import original
    from hub.store import audit

    async with desk() as at:
        letter = await one(at.connection, name)
        bytes_ = await original(at.connection, at.log, at.settings, letter)
        if act is not None:
            doc = {"dead_letter": letter.id, "reason": act[1]}
            await audit.act(
                at.connection, "dead_letter.revealed", act[0], doc, now=at.now,
                event_id=letter.event_id, correlation=letter.correlation or None,
            )  # fmt: skip
    row = reasoned(msgspec.structs.asdict(letter))
    row["content"] = view(bytes_.value) if bytes_ else None
    row["place"] = bytes_.place if bytes_ else None
    if act is not None:
        row["raw"] = bytes_.value.hex() if bytes_ else None
    return row


async def one(connection: Any, name: str) -> Any:
    """The dead letter whose id begins so.

    Raises:
        HubError: none, or several.
    """
    from hub.store import dead_letter_index

    rows = await dead_letter_index.beginning(connection, name)
    if len(rows) != 1:
        problem = "several dead letters begin" if rows else "no dead letter begins"
        raise HubError(
            f"There {'are' if rows else 'is'} {problem} with {name}.",
            hint="'hub dlq list --state all --json' shows whole ids.",
            message_zh=f"{'有多条' if rows else '没有'}编号以 {name} 开头的死信;"
            "用 hub dlq list --state all --json 查看完整编号。",
        )
    return rows[0]


def reasoned(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the sentence of its code."""
    from hub.kernel.reasons import CODES

    reason = CODES.get(row["code"])
    return {
        **row,
        "reason_zh": reason.zh if reason else "",
        "reason_en": reason.en if reason else "",
    }
