"""``hub status``: how the hub stands, on one screen, out of the newest picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.languages import both, one, text
from hub.cli.loops import run
from hub.cli.output import json_document, line, moment, say, table

if TYPE_CHECKING:
    from hub.console.names import Names
    from hub.monitoring.findings import Finding
    from hub.monitoring.pictures import Picture

JSON = both("输出 JSON", "as JSON")
STALE_MS = 15_000
"""The console calls figures of that age old."""
_MARKS = {"worst": "‼", "bad": "✗", "warn": "△"}
_SEVERE = frozenset({"bad", "worst"})
_CALM = frozenset({"RUNNING", "UNASSIGNED"})


def command(as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False) -> None:
    """枢纽状态一屏:先列异常 · On one screen, what is wrong first.

    退出码:0 正常或仅需注意;1 有严重异常、数据陈旧或从未采样 ·
    Exit code: 0 well or warnings only; 1 something serious, old figures, or none.
    """
    raise SystemExit(run(_show(as_json)))


async def _show(as_json: bool) -> int:
    from hub.cli.stores import store
    from hub.console.names import Names
    from hub.kernel.settings import settings
    from hub.monitoring.findings import findings
    from hub.monitoring.pictures import decode
    from hub.sdk.manifests import load_manifests
    from hub.store import pictures

    async with store() as (connection, now):
        doc = await pictures.read(connection)
    if doc is None:
        if as_json:
            json_document({"at": None, "findings": []})
        else:
            say("尚无采样;请启动 hub sampler。", "no picture yet; start hub sampler.")
        return 1
    picture = decode(doc)
    found, stale = findings(picture), now - picture.at > STALE_MS
    names = Names(settings(), load_manifests(settings()))
    if as_json:
        json_document(_document(picture, found, names, stale=stale))
    else:
        _print(picture, found, names, now - picture.at if stale else None)
    return int(stale or any(each.severity in _SEVERE for each in found))


def _sentence(names: Names, finding: Finding) -> tuple[str, str]:
    from hub.monitoring.spans import span

    return names.sentence(finding, (span(finding.ms, "zh"), span(finding.ms, "en")))


def _document(
    picture: Picture, found: list[Finding], names: Names, *, stale: bool
) -> dict[str, Any]:
    import msgspec

    listed = []
    for finding in found:
        zh, en = _sentence(names, finding)
        listed.append({**msgspec.structs.asdict(finding), "zh": zh, "en": en})
    parts = msgspec.to_builtins(picture)
    kept = ("at", "number", "groups", "programs", "connectors", "letters", "workers", "server",
            "stages", "hops", "failed")  # fmt: skip
    return {"stale": stale, "findings": listed, **{name: parts[name] for name in kept}}


def _print(picture: Picture, found: list[Finding], names: Names, age: int | None) -> None:
    from hub.monitoring.spans import span

    line(f"{both('采样于', 'as of')} {moment(picture.at)}")
    if age is not None:
        zh, en = span(age, "zh"), span(age, "en")
        say(f"‼ 数据陈旧:{zh} 前;采样进程已停", f"figures are {en} old; the sampler is dead")
    for finding in found:
        line(f"{_MARKS[finding.severity]} {both(*_sentence(names, finding))}")
    if not found:
        say("✓ 一切正常", "nothing is wrong")
    _groups(picture)
    _programs(picture, names)
    _departments(picture, names)


def _groups(picture: Picture) -> None:
    from hub.monitoring.spans import span

    columns = (
        ("流", "stream"), ("状态", "state"), ("积压", "lag"), ("时间滞后", "late"),
        ("消费/秒", "read/s"), ("产生/秒", "made/s"),
    )  # fmt: skip
    rows = [
        (g.group, g.status, f"{g.lag:,}", span(g.late, one()), f"{g.consumed:,.1f}",
         f"{g.produced:,.1f}")
        for g in picture.groups
    ]  # fmt: skip
    table(columns, rows, right=(2, 3, 4, 5))


def _programs(picture: Picture, names: Names) -> None:
    from hub.monitoring.spans import span

    columns = (
        ("项目", "program"), ("状态", "state"), ("待收", "waiting"), ("最早", "oldest"),
        ("搁置", "parked"), ("已投递", "delivered"),
    )  # fmt: skip
    words = {
        "good": ("正常", "in step"),
        "warn": ("缓慢", "slow"),
        "bad": ("收不到", "not receiving"),
    }
    shown = [p for p in picture.programs if p.status != "good" or p.parked]
    rows = [
        (
            text(*names.program(p.program)),
            text(*words[p.status]),
            f"{p.queued + p.waiting + p.unfetched:,}",
            span(None if p.oldest is None else picture.at - p.oldest, one()),
            f"{p.parked:,}",
            f"{p.delivered:,}",
        )
        for p in shown
    ]
    if rows:
        table(columns, rows, right=(2, 3, 4, 5))
    _rest(len(picture.programs) - len(shown), ("项目", "programs"))


def _departments(picture: Picture, names: Names) -> None:
    from hub.monitoring.spans import span

    columns = (
        ("部门", "department"), ("连接器", "connector"), ("静默", "silent"), ("每秒", "per second"),
        ("死信", "dead letters"),
    )  # fmt: skip
    rows = []
    for each in picture.connectors:
        silent = max((item.silent or 0 for item in each.items if item.is_silent), default=None)
        rate = sum(item.rate for item in each.items)
        name = text(*names.department(each.connector))
        if silent or each.rejected or each.state not in _CALM:
            shown = (name, each.state, span(silent, one()), f"{rate:,.1f}", f"{each.rejected:,}")
            rows.append(shown)
    if rows:
        table(columns, rows, right=(2, 3, 4))
    _rest(len(picture.connectors) - len(rows), ("部门", "departments"))


def _rest(count: int, what: tuple[str, str]) -> None:
    """One line for everything that is as it should be, so that one screen is enough."""
    if count:
        say(f"✓ {what[0]}正常:{count}", f"{what[1]} in step: {count}")
