"""``hub replay``: events decided again under the rules in force; a shadow tells what changes."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

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

TOPIC = both("只重放该主题,如 event.category", "only this topic, e.g. event.category")
TYPE = both("只重放该类事件", "only this event type")
SOURCE = both("只重放该部门的事件", "only this department's events")
MATTER = both("只重放该事项", "only this matter")
UNDECIDED = both("只重放从未决策过的事件", "only events that were never decided")
OPERATION = both("执行或继续已批准的重放", "run an approved replay, or go on with it")
RATE = 200


def command(
    topic: Annotated[str | None, typer.Option(help=TOPIC)] = None,
    event_type: Annotated[str | None, typer.Option("--type", help=TYPE)] = None,
    source: Annotated[str | None, typer.Option(help=SOURCE)] = None,
    matter: Annotated[str | None, typer.Option(help=MATTER)] = None,
    since: Annotated[str | None, typer.Option(help=SINCE)] = None,
    until: Annotated[str | None, typer.Option(help=UNTIL)] = None,
    undecided: Annotated[bool, typer.Option("--undecided", help=UNDECIDED)] = False,
    operation: Annotated[str | None, typer.Option(help=OPERATION)] = None,
    apply: Annotated[bool, typer.Option("--apply", help=APPLY)] = False,
    who: Annotated[str | None, AsPerson] = None,
    reason: Annotated[str | None, typer.Option(help=REASON)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """重放事件:先演示谁增谁减,不发送 · Decide events again; a shadow tells who gains and loses."""
    if operation is not None:
        found = run(_run(operation, person(who, "run")[0]))
        say(
            f"重放 {found.id[:8]}:{found.state},已处理 {found.done},略过 {found.skipped}",
            f"replay {found.id[:8]}: {found.state}, {found.done} done, {found.skipped} left out",
        )
        return
    wanted = {
        "topic": topic, "type": event_type, "source": source, "matter": matter,
        "since": instant(since), "until": instant(until), "undecided": undecided or None,
    }  # fmt: skip
    wanted = {key: value for key, value in wanted.items() if value is not None}
    if not wanted:
        raise HubError(
            "Say which events, e.g. --since 2025-04-01 or --type category.granted.",
            message_zh="请指明事件,如 --since 2025-04-01 或 --type category.granted。",
        )
    document = run(_replay(wanted, person(who, reason) if apply else None))
    if as_json:
        json_document(document)
    else:
        _show(document)


def _show(found: dict[str, Any]) -> None:
    then = ", ".join(f"{name} × {count}" for name, count in found["then"].items()) or "–"
    line(f"{text('事件', 'events')}: {found['events']}")
    line(f"{text('从未决策', 'never decided')}: {found['undecided']}")
    line(f"{text('规则版本', 'rules')}: {then} → {found['version']}")
    line(f"{text('死信可通过', 'dead letters that pass now')}: {found['passes']}")
    for code, count in found["fails"].items():
        line(f"{text('未通过', 'fail')}: {count} {code}")
    line(f"{text('已发送过,不再发', 'sent before, not again')}: {found['sent_already']}")
    heads = [("项目", "program"), ("增", "gain"), ("减", "lose"), ("告知", "told")]
    rows = [
        (name, len(row["gains"]), len(row["loses"]), row["told"])
        for name, row in found["programs"].items()
    ]
    if rows:
        table(heads, rows, right=(1, 2, 3))
    name = found.get("operation")
    if name is None:
        say("演示:未写入、未发送。", "a shadow: nothing was written, nothing sent.")
    elif found["state"] == "asked":
        say(
            f"已提出重放 {name};须由另一人批准:hub approvals approve {name[:8]},"
            f"再执行:hub replay --operation {name[:8]}",
            f"asked for; a second person: hub approvals approve {name[:8]},"
            f" then hub replay --operation {name[:8]}",
        )
    else:
        say(f"重放 {name}:{found['state']}", f"replay {name}: {found['state']}")


def _replayer(at: Desk) -> Any:
    from hub.runtime.replays import Replayer

    wiring = wired(at.settings)
    version = wiring.context(at.now).profile.version
    return Replayer(at.connection, at.log, at.settings, wiring, version, lambda: at.now)


async def _replay(wanted: dict[str, Any], act: tuple[str, str] | None) -> dict[str, Any]:
    from hub.runtime.replays import Range

    async with desk() as at:
        replayer = _replayer(at)
        diff = await replayer.shadow(Range(**wanted), _progress)
        document: dict[str, Any] = diff.document()
        if act is None:
            return document
        operation = await replayer.ask(
            diff, person=act[0], reason=act[1], spec={"range": wanted}, rate=RATE
        )
        if not operation.two_persons:
            operation = await replayer.run(operation, act[0])
        return {**document, "operation": operation.id, "state": operation.state}


async def _run(name: str, who: str) -> Any:
    from hub.store import operations

    async with desk() as at:
        operation = await operations.found(at.connection, name)
        if operation.kind != "replay":
            raise HubError(
                f"A {operation.kind} is not run here.",
                hint="'hub approvals run ID' runs it.",
                message_zh=f"{operation.kind} 不在此执行;用 hub approvals run 编号。",
            )
        return await _replayer(at).run(operation, who)


def _progress(count: int) -> None:
    if count % 10_000 == 0:
        sys.stderr.write(f"{count}\n")
