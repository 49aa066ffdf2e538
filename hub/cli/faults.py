"""``hub faults``: run the fault cases of this checkout against real processes."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.languages import both
from hub.cli.output import json_document, line, say, table
from hub.kernel.errors import ConfigurationError

app = typer.Typer(
    help="故障演练:真实进程、真实 Kafka 与 PostgreSQL,由独立核对程序判定"
    " · Fault cases on real processes, judged by an independent verifier",
    no_args_is_help=True,
    add_completion=False,
)
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · JSON output")]
Cases = Annotated[
    list[str] | None,
    typer.Argument(help="用例编号,如 F04;不写则全部 · ids such as F04; none: all", metavar="CASE"),
]
_MARKS = {"green": "✓", "red": "✗", "not run": "–"}


@app.command("list")
def list_cases(as_json: Json = False) -> None:
    """列出用例 · List the cases."""
    known = _harness("catalogues").catalogue()
    rows = [
        {
            "id": name,
            "zh": entry.case.zh,
            "en": entry.case.en,
            "topology": entry.case.topology,
            "needs": list(entry.case.needs),
            "ci": entry.case.ci,
            "sabotages": list(entry.case.sabotages),
        }
        for name, entry in known.items()
    ]
    if as_json:
        json_document(rows)
        return
    table(
        (("编号", "Case"), ("内容", "What"), ("拓扑", "Topology"), ("需要", "Needs"), ("CI", "CI")),
        [
            (
                row["id"],
                both(row["zh"], row["en"]),
                row["topology"],
                ", ".join(row["needs"]),
                "✓" if row["ci"] else "",
            )
            for row in rows
        ],
    )


@app.command("run")
def run(
    cases: Cases = None,
    *,
    seed: Annotated[int, typer.Option(help="随机种子 · seed of everything random")] = 1,
    scale: Annotated[str, typer.Option(help="规模:quick 或 full · quick or full")] = "quick",
    rounds: Annotated[
        int,
        typer.Option(
            min=0, help="轮数,代替规模自带的 · rounds instead of the scale's own; 0: its own"
        ),
    ] = 0,
    seconds: Annotated[
        float,
        typer.Option(min=0, help="时长或数量,代替规模自带的 · length or size likewise; 0: its own"),
    ] = 0,
    ci: Annotated[bool, typer.Option("--ci", help="仅 CI 用例 · the CI set only")] = False,
    sabotage: Annotated[
        bool,
        typer.Option(
            "--sabotage",
            help="故意破坏枢纽,每个用例都必须变红 · break the hub on purpose; each must go red",
        ),
    ] = False,
    lanes: Annotated[
        int,
        typer.Option(
            min=1,
            max=4,
            help="同时运行几个用例,各有自己的 Kafka 与 PostgreSQL"
            " · cases at a time, each with services of its own",
        ),
    ] = 1,
    allow_unrun: Annotated[
        bool,
        typer.Option(
            "--allow-unrun",
            help="缺少权限而未运行的用例不算失败 · cases this machine cannot run do not fail",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """运行用例;有未通过者退出码为 1 · Run cases; exit code 1 if any fails.

    报告在 build/faults/ · Reports stand in build/faults/.

    Raises:
        ConfigurationError: no checkout, or an unknown case or scale.
        Exit: code 1 when a case failed, or was not run; 128 and its number after a signal.
    """
    sized, sessions = _harness("catalogues").sized, _harness("sessions")
    entries = [sized(one, scale, rounds, seconds) for one in _chosen(cases or (), scale, ci=ci)]
    shown = (lambda _: None) if as_json else _say_line
    session = sessions.Session(entries, seed=seed, scale=scale, sabotage=sabotage, show=shown)
    results = _run(session.run(lanes))
    if as_json:
        json_document([sessions.document(one) for one in results])
    else:
        _show(results, seed)
    if not sessions.passed(results, sabotage=sabotage, allow_unrun=allow_unrun):
        raise typer.Exit(1)


def _chosen(cases: Sequence[str], scale: str, *, ci: bool) -> list[Any]:
    if scale not in {"quick", "full"}:
        raise ConfigurationError(
            f"There is no scale '{scale}'.",
            hint="Use quick or full.",
            message_zh=f"没有规模 {scale};可选 quick、full。",
        )
    catalogues = _harness("catalogues")
    try:
        return list(catalogues.chosen(cases, ci=ci))
    except catalogues.UnknownCaseError as error:
        raise ConfigurationError(
            f"There is no case {error}.",
            hint="'hub faults list' lists them.",
            message_zh=f"没有用例 {error};hub faults list 可列出。",
        ) from None


def _run(work: Coroutine[Any, Any, list[Any]]) -> list[Any]:
    interruptions = _harness("interruptions")
    try:
        return asyncio.run(interruptions.interruptible(work))
    except interruptions.InterruptedRunError as error:
        say(
            f"收到 {error.number.name},已中止;启动的进程均已结束",
            f"{error.number.name}: given up; every process it had started has ended",
        )
        raise typer.Exit(128 + error.number) from None


def _say_line(text: str) -> None:
    line(text)
    sys.stdout.flush()


def _show(results: list[Any], seed: int) -> None:
    table(
        (
            ("用例", "Case"),
            ("结果", "Result"),
            ("秒", "Seconds"),
            ("恢复", "Recovery"),
            ("停顿", "Stall"),
            ("破坏", "Sabotage"),
            ("原因", "Reasons"),
        ),
        [
            (
                one.id,
                f"{_MARKS[one.verdict]} {one.verdict}",
                one.seconds,
                one.recovery,
                one.stall,
                one.sabotage,
                "; ".join(reason.splitlines()[0] for reason in one.reasons)[:90],
            )
            for one in results
        ],
        right=(2, 3, 4),
    )
    say(f"种子 {seed};报告在 build/faults/", f"seed {seed}; reports in build/faults/")


def _harness(module: str) -> Any:
    """A module of the harness, which is part of the repository's tests.

    Raises:
        ConfigurationError: this is no checkout.
    """
    root = Path(__file__).parents[2]
    if not (root / "tests" / "faults" / "harness").is_dir():
        raise ConfigurationError(
            "Fault cases are part of the repository's tests, and this is not a checkout.",
            hint="Clone the repository and run 'make faults' there.",
            message_zh="故障用例属于源码仓库的测试,当前安装不是源码目录;"
            "请在源码目录中运行 make faults。",
        )
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return importlib.import_module(f"tests.faults.harness.{module}")
