"""``hub dlq redrive``: dead letters sent again to the consumer that failed; a dry run first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.dlq import CODE, MATTER, SOURCE, STAGE, TYPE, one, wanting
from hub.cli.languages import both, text
from hub.cli.loops import run
from hub.cli.operators import (
    APPLY,
    JSON,
    REASON,
    SINCE,
    UNTIL,
    AsPerson,
    Desk,
    desk,
    instant,
    person,
    wired,
)
from hub.cli.output import json_document, line, say, table
from hub.kernel.errors import HubError

NAMES = both("死信编号或其开头;不填则按条件选取", "ids or beginnings; none: chosen by the options")
EDIT = both(
    "更改后内容的 JSON 文件(一次一条,须另一人批准)",
    "a JSON file with the changed value; one record at a time, a second person approves",
)
RATE = both("每秒最多条数", "records per second at most")
_SHOWN = 20


def redrive(
    names: Annotated[list[str] | None, typer.Argument(help=NAMES)] = None,
    code: Annotated[str | None, typer.Option(help=CODE)] = None,
    source: Annotated[str | None, typer.Option(help=SOURCE)] = None,
    event_type: Annotated[str | None, typer.Option("--type", help=TYPE)] = None,
    stage: Annotated[str | None, typer.Option(help=STAGE)] = None,
    matter: Annotated[str | None, typer.Option(help=MATTER)] = None,
    since: Annotated[str | None, typer.Option(help=SINCE)] = None,
    until: Annotated[str | None, typer.Option(help=UNTIL)] = None,
    edit: Annotated[Path | None, typer.Option(help=EDIT, exists=True, dir_okay=False)] = None,
    rate: Annotated[int, typer.Option(help=RATE, min=1, max=5000)] = 50,
    apply: Annotated[bool, typer.Option("--apply", help=APPLY)] = False,
    who: Annotated[str | None, AsPerson] = None,
    reason: Annotated[str | None, typer.Option(help=REASON)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """重投死信;默认只演示 · Send dead letters again; without --apply only the plan is shown."""
    chosen = {
        "code": code, "source": source, "type": event_type, "stage": stage, "matter": matter,
        "since": instant(since), "until": instant(until),
    }  # fmt: skip
    chosen = {key: value for key, value in chosen.items() if value is not None}
    if not names and not chosen:
        raise HubError(
            "Say which dead letters: ids, or at least one option such as --code.",
            message_zh="请指明死信:编号,或至少一个条件,如 --code。",
        )
    act = person(who, reason) if apply else None
    found = run(_redrive(names or [], chosen, edit.read_bytes() if edit else None, rate, act))
    if as_json:
        json_document(found)
    else:
        _show(found)


async def _redrive(
    names: list[str],
    chosen: dict[str, Any],
    edited: bytes | None,
    rate: int,
    act: tuple[str, str] | None,
) -> dict[str, Any]:
    from hub.runtime.edits import Editor
    from hub.runtime.redrives import Redriver

    async with desk() as at:
        redriver = Redriver(at.connection, at.log, at.settings, lambda: at.now)
        ids = [(await one(at.connection, name)).id for name in names]
        plan = await redriver.plan(await redriver.chosen(wanting("open", **chosen), ids))
        document = _document(plan)
        if edited is not None:
            _only_one(plan)
        if act is None or not plan.sent:
            if edited is not None:
                await _rehearse(at, redriver, plan, edited, document)
            return document
        editor = Editor(wired(at.settings), at.settings) if edited is not None else None
        operation = await redriver.ask(
            plan, person=act[0], reason=act[1], rate=rate, edited=edited, editor=editor,
            spec={"ids": ids} if ids else dict(chosen),
        )  # fmt: skip
        document["operation"] = operation.id
        document["state"] = operation.state
        if not operation.two_persons:
            document["state"] = (await carry_on(at, operation, act[0])).state
        return document


async def _rehearse(
    at: Desk, redriver: Any, plan: Any, edited: bytes, document: dict[str, Any]
) -> None:
    from hub.runtime.edits import Editor

    letter = plan.sent[0].letter
    before = await redriver.content(letter)
    change = Editor(wired(at.settings), at.settings).checked(letter, before.value, edited)
    document["changed"] = list(change.fields)


def _only_one(plan: Any) -> None:
    if len(plan.sent) != 1:
        raise HubError(
            f"One record is changed at a time, not {len(plan.sent)}.",
            hint="Name its id.",
            message_zh=f"一次只能更改一条,不能是 {len(plan.sent)} 条;请给出编号。",
        )


async def carry_on(at: Desk, operation: Any, who: str) -> Any:
    """Run an operation to its end, showing each record."""
    from hub.contracts.replay_marks import ReplayKey
    from hub.kernel.clocks import clock_from, epoch_ms
    from hub.kernel.secrets import Secrets
    from hub.runtime.clients import producer
    from hub.runtime.redrives import Redriver

    clock = clock_from(at.settings.clock, synthetic_people=at.settings.synthetic_people)
    marks = ReplayKey(Secrets.load(at.settings, ("k_uid",)).k_uid)
    client = producer(at.settings.kafka)
    await client.start()
    try:
        redriver = Redriver(at.connection, at.log, at.settings, lambda: epoch_ms(clock.now()))
        return await redriver.run(operation, client, marks, who)
    finally:
        await client.stop()


def _document(plan: Any) -> dict[str, Any]:
    return {
        "to_send": len(plan.sent),
        "codes": plan.codes,
        "refused": [
            {"reason": why.key, "zh": why.zh, "en": why.en, "count": count}
            for why, count in plan.refused.items()
        ],
        "routing": [
            {
                "id": row.letter.id,
                "code": row.letter.code,
                "from": row.source,
                "to": f"{row.target[0]}/{row.target[1]}",
                "replay": row.letter.replays + 1,
            }
            for row in plan.sent
        ],
    }


def _show(found: dict[str, Any]) -> None:
    heads = [("编号", "id"), ("代码", "code"), ("原处", "from"), ("去向", "to"), ("第几次", "nth")]
    rows = [
        (row["id"][:8], row["code"], row["from"], row["to"], row["replay"])
        for row in found["routing"][:_SHOWN]
    ]
    if rows:
        table(heads, rows, right=(4,))
    if found["to_send"] > _SHOWN:
        say(f"……共 {found['to_send']} 条", f"… {found['to_send']} in all")
    for code, count in found["codes"].items():
        line(f"{count:>8}  {code}")
    for row in found["refused"]:
        line(f"{row['count']:>8}  {text(row['zh'], row['en'])}")
    if "changed" in found:
        line(f"{text('更改的字段', 'changed fields')}: {', '.join(found['changed'])}")
    operation = found.get("operation")
    if operation is None:
        say(
            f"演示:将重投 {found['to_send']} 条,未发送。加 --apply --as 账号 --reason 理由 执行。",
            f"dry run: {found['to_send']} would be sent; --apply --as NAME --reason TEXT",
        )
    elif found["state"] == "asked":
        say(
            f"已提出操作 {operation};须由另一人批准:hub approvals approve {operation[:8]}",
            f"asked for; a second person has to: hub approvals approve {operation[:8]}",
        )
    else:
        say(f"操作 {operation}:{found['state']}", f"operation {operation}: {found['state']}")
