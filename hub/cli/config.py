"""``hub config``: every setting with its meaning and the value in force."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any

import typer

from hub.cli.languages import both
from hub.cli.output import json_document, table

app = typer.Typer(
    no_args_is_help=True, help=both("设置项及其当前值", "Settings and the values in force")
)
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]+@|(password=)\S+")


@app.callback()
def group() -> None:
    """Keep ``explain`` a word of its own."""


@app.command("explain", help=both("列出每个环境变量", "List every environment variable"))
def explain(
    as_json: Annotated[
        bool, typer.Option("--json", help=both("以 JSON 输出", "print JSON"))
    ] = False,
) -> None:
    """List the settings."""
    rows = explained()
    if as_json:
        json_document(rows)
        return
    table(
        [("变量", "variable"), ("当前值", "value"), ("来自", "from"), ("含义", "meaning")],
        [
            (
                row["variable"],
                row["value"],
                both("环境", "environment") if row["set"] else both("默认", "default"),
                row["meaning"],
            )
            for row in rows
        ],
    )


def explained() -> list[dict[str, Any]]:
    """Variable, value (passwords hidden), whether it is set, meaning."""
    from hub.kernel.settings import Settings, settings

    found = settings()
    return [
        {
            "variable": f"HUB_{name.upper()}",
            "value": hidden(getattr(found, name)),
            "set": f"HUB_{name.upper()}" in os.environ,
            "meaning": field.description or "",
        }
        for name, field in Settings.model_fields.items()
    ]


def hidden(value: Any) -> str:
    """A value as text, without the password of an address."""
    text = "" if value is None else str(value)
    return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}***{'@' if found[1] else ''}", text)
