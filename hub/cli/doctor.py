"""``hub doctor``: what is wrong with this installation and how each thing is mended."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.languages import both, text
from hub.cli.loops import run
from hub.cli.output import json_document, say, table

MARKS = {"ok": "✓", "warning": "!", "problem": "✗"}


def command(
    as_json: Annotated[
        bool, typer.Option("--json", help=both("以 JSON 输出", "print JSON"))
    ] = False,
) -> None:
    """体检;有问题时退出码为 1 · Find problems and their mends; exit code 1 if any.

    Raises:
        typer.Exit: with code 1 where a problem was found.
    """
    import msgspec

    from hub.cli.checkups import examine
    from hub.kernel.settings import settings

    findings = run(examine(settings()))
    problems = sum(finding.state == "problem" for finding in findings)
    if as_json:
        json_document(
            {
                "problems": problems,
                "findings": [msgspec.structs.asdict(finding) for finding in findings],
            }
        )
    else:
        table(
            [("", ""), ("项目", "part"), ("结果", "finding"), ("修复办法", "mend")],
            [
                (
                    MARKS[finding.state],
                    text(finding.part_zh, finding.part),
                    text(finding.zh, finding.en),
                    text(finding.mend_zh, finding.mend_en),
                )
                for finding in findings
            ],
        )
        if problems:
            say(f"{problems} 个问题", f"{problems} problems")
        else:
            say("没有发现问题", "no problem found")
    if problems:
        raise typer.Exit(1)
