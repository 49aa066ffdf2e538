"""Tables: what changed between two renderings of a table, so that only that is streamed.

Rows carry an id: ``<tr id="…" class="…">``; tables are not nested.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_ROW = re.compile(r'<tr id="([^"]+)" class="([^"]*)">(.*?)</tr>\s*', re.DOTALL)
_CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)


class Row(NamedTuple):
    """A row: its class, the insides of its cells, its markup."""

    kind: str
    cells: tuple[str, ...]
    html: str


class Table(NamedTuple):
    """A rendering: what stands around the rows, and the rows by id in their order."""

    frame: str
    rows: dict[str, Row]


def read(text: str) -> Table:
    """The table in a rendering."""
    rows = {
        found[1]: Row(found[2], tuple(_CELL.findall(found[3])), found[0].strip())
        for found in _ROW.finditer(text)
    }
    return Table(_ROW.sub("", text), rows)


def change(before: Table, after: Table) -> dict[str, Any] | None:
    """What a page needs to get from one to the other; None: the whole.

    Returns:
        ``made``: id → markup of new rows; ``gone``: ids; ``cells``: id → class and cells, each
        None where it stays; ``order``: all ids where the order is another one, else None.
    """
    if before.frame != after.frame or not before.rows:
        return None
    cells = {}
    for name, row in after.rows.items():
        was = before.rows.get(name)
        if was is None or was == row:
            continue
        kept = [None if one == old else one for one, old in zip(row.cells, was.cells, strict=True)]
        cells[name] = [None if row.kind == was.kind else row.kind, *kept]
    made = {name: row.html for name, row in after.rows.items() if name not in before.rows}
    gone = [name for name in before.rows if name not in after.rows]
    stayed = [name for name in before.rows if name in after.rows] + list(made)
    order = list(after.rows)
    return {
        "made": made,
        "gone": gone,
        "cells": cells,
        "order": None if order == stayed else order,
    }
