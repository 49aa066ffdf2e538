"""Verbs: every command of ``hub`` with its sentence, and how its file is loaded."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

from hub.kernel.errors import HubError


class Verb(NamedTuple):
    """One line of the help; the file is ``hub/cli/<name>.py``."""

    name: str
    zh: str
    en: str


VERBS = (
    Verb(
        "demo", "在本机看一座城市运转(内置 Kafka 与 PostgreSQL)", "a city at work, on this machine"
    ),
    Verb("dev", "启动内置服务、工作进程与网关", "embedded services, worker and gateway"),
    Verb("worker", "工作进程:接入、决策、投递、定时", "intake, decisions, delivery, timers"),
    Verb(
        "gateway", "网关:HTTP 接入、拉取、运维页面", "HTTP intake, pull delivery, operators' pages"
    ),
    Verb("sampler", "采样:为控制台、指标与告警取数", "figures for console, metrics and alerts"),
    Verb("status", "状态一屏:异常、流、项目、部门", "one screen: what is wrong, streams, programs"),
    Verb("console", "运维控制台与账号", "the operators' console and its accounts"),
    Verb("connectors", "部门连接器:列出、检查、运行", "departments' connectors: list, check, run"),
    Verb("topics", "主题目录:比对、创建", "catalogue of topics: compare, create"),
    Verb("schemas", "消息模式:生成、检查兼容", "schemas: derive, check compatibility"),
    Verb("profile", "地区配置:检查、说明", "jurisdiction profile: check, explain"),
    Verb("roster", "救助对象名册:期初装载、快照", "rosters: opening balance, snapshots"),
    Verb("dlq", "死信:列出、查看、重投", "dead letters: list, show, redrive"),
    Verb(
        "approvals", "两人操作:批准、执行、暂停", "operations of two persons: approve, run, pause"
    ),
    Verb("parked", "停放的投递:列出、重试、放弃", "parked copies: list, retry, give up"),
    Verb("restore", "数据库恢复后:编号换代", "after a restore: numbers of a new generation"),
    Verb(
        "replay",
        "重放:在现行规则下重新决策,先演示",
        "decide again under today's rules, shadow first",
    ),
    Verb("offsets", "位移:查看、扣住、移动、放开", "offsets: show, hold, move, let go"),
    Verb("trace", "追踪一件事:从接收到办结", "one matter, from receipt to its close"),
    Verb("doctor", "体检:找出问题并给出修复办法", "find what is wrong and how to mend it"),
    Verb("config", "设置项及其当前值", "settings and the values in force"),
    Verb(
        "keys", "部门、项目、运维人员的访问密钥", "access keys of departments, programs, operators"
    ),
    Verb("bench", "吞吐测量", "throughput"),
    Verb(
        "faults", "故障演练:杀进程、断网、停库后核对", "fault cases: kill, cut, stop, then verify"
    ),
)
"""In the order of the help."""


PARTS = {
    "connectors": {"run": ("hub.cli.connector_run", "run")},
    "dlq": {"redrive": ("hub.cli.dlq_redrive", "redrive")},
}
"""Words of a verb that stand in a file of their own: verb → word → module, function."""


def known(name: str) -> Verb | None:
    """The verb of that name."""
    return next((verb for verb in VERBS if verb.name == name), None)


def command_of(verb: Verb) -> Any:
    """The click command of a verb; its file gives ``app`` (typer) or ``command`` (function).

    Raises:
        HubError: the file is not part of this installation.
    """
    import typer

    place = f"hub.cli.{verb.name}"
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name != place:
            raise
        raise HubError(
            f"The command '{verb.name}' is not part of this installation.",
            hint="Install the package again.",
            message_zh=f"本安装不含命令 {verb.name},请重新安装。",
        ) from None
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False)
        app.command()(module.command)
    for word, (part, function) in PARTS.get(verb.name, {}).items():
        app.command(word)(getattr(importlib.import_module(part), function))
    return typer.main.get_command(app)
