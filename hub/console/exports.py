"""Exports: rows as CSV that a spreadsheet opens without running anything, or as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from fastapi import Response

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins like this is a formula for a spreadsheet."""
FORMATS = ("csv", "json")


def cell(value: object) -> str:
    """A value as text; one that a spreadsheet would run gets an apostrophe before it."""
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_RUNS) else text


def csv_of(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """CSV with the mark that lets spreadsheets read Chinese."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([cell(name) for name in head])
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def download(name: str, kind: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Response:
    """Rows as a file.

    Args:
        name: Of the file, without ending; ASCII.
        kind: One of :data:`FORMATS`; anything else is CSV.
        head: Names of the columns.
        rows: Their values.
    """
    if kind == "json":
        data = orjson.dumps([dict(zip(head, row, strict=True)) for row in rows], default=str)
        media = "application/json"
    else:
        data, media, kind = csv_of(head, rows), "text/csv; charset=utf-8", "csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{kind}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, media_type=media, headers=headers)
