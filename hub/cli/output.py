"""Output of commands: tables for people, one JSON document for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from hub.cli.languages import both
from hub.kernel.clocks import from_epoch_ms


def say(zh: str, en: str) -> None:
    """One line in the wanted languages, Chinese first."""
    sys.stdout.write(both(zh, en) + "\n")


def line(text: str = "") -> None:
    """One line as it is."""
    sys.stdout.write(text + "\n")


def json_document(value: Any) -> None:
    """The answer as indented JSON on standard output."""
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    sys.stdout.write(orjson.dumps(value, default=str, option=options).decode())


def table(
    columns: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[Any]],
    *,
    title: tuple[str, str] | None = None,
    right: Iterable[int] = (),
) -> None:
    """A table on standard output; piped output keeps whole cells.

    Args:
        columns: Heads as (zh, en).
        rows: Cells; None is an empty cell.
        title: Line above, (zh, en).
        right: Columns of figures.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, title=both(*title) if title else None, title_justify="left")
    figures = set(right)
    for place, head in enumerate(columns):
        shown.add_column(both(*head), justify="right" if place in figures else "left")
    for row in rows:
        shown.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(shown)


def moment(ms: int | None) -> str:
    """An instant for people, Asia/Shanghai: ``2025-04-01 09:30:05``."""
    return f"{from_epoch_ms(ms):%Y-%m-%d %H:%M:%S}" if ms is not None else ""
