"""Sealed tables: exports as evidence. A digest over the rows stands in the file and in the audit.

The seal is SHA-256 over the rows as CSV (UTF-8 without a mark, lines end with CR LF, heading
first), so the CSV file and the workbook of the same rows carry the same seal and anybody can
compute it again.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from hashlib import sha256
from io import BytesIO, StringIO
from typing import NamedTuple

from fastapi import Response

from hub.console import acts
from hub.console.contexts import Console
from hub.console.screens import HEADERS
from hub.console.visitors import Visitor
from hub.kernel.clocks import from_epoch_ms, rfc3339

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Value = str | int


class Table(NamedTuple):
    """What is exported.

    Attributes:
        name: Of the file, ASCII.
        title: Shown above the rows.
        heads: Names of the columns.
        rows: Texts and counts.
    """

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Value]]


def _text(value: Value) -> Value:
    """A text that a spreadsheet program does not run as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def body(table: Table) -> bytes:
    """The rows as CSV, as they are sealed."""
    buffer = StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(table.heads)
    writer.writerows([_text(value) for value in row] for row in table.rows)
    return buffer.getvalue().encode()


def seal(table: Table) -> str:
    """SHA-256 of :func:`body`, hexadecimal."""
    return sha256(body(table)).hexdigest()


def as_csv(table: Table, at: int, by: str) -> bytes:
    """A CSV file that spreadsheet programs read as UTF-8, with its seal below an empty line."""
    tail = f'\r\nSHA-256,{seal(table)}\r\n"生成时间 Made at",{rfc3339(from_epoch_ms(at))}\r\n'
    return b"\xef\xbb\xbf" + body(table) + f'{tail}"账号 Account",{by}\r\n'.encode()


def as_xlsx(table: Table, at: int, by: str) -> bytes:
    """A workbook with its rows on one sheet and its seal on the next."""
    import xlsxwriter  # takes longer to load than all the rest of a page

    buffer = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        text = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        figure = book.add_format({"valign": "top", "num_format": "#,##0"})
        sheet = book.add_worksheet("数据 Data")
        sheet.write_row(0, 0, table.heads, bold)
        for line, row in enumerate(table.rows, 1):
            for column, value in enumerate(row):
                sheet.write(line, column, _text(value), figure if isinstance(value, int) else text)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(table.rows)), len(table.heads) - 1)
        for column, width in enumerate(_widths(table)):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sealed = book.add_worksheet("封签 Seal")
        sealed.set_column(0, 0, 26)
        sealed.set_column(1, 1, 72)
        for line, pair in enumerate(_sealed(table, at, by)):
            sealed.write_string(line, 0, pair[0], bold)
            sealed.write_string(line, 1, pair[1], text)
    return buffer.getvalue()


def _sealed(table: Table, at: int, by: str) -> list[tuple[str, str]]:
    return [
        ("内容 Content", table.title),
        ("生成时间 Made at", rfc3339(from_epoch_ms(at))),
        ("账号 Account", by),
        ("行数 Rows", str(len(table.rows))),
        ("SHA-256", seal(table)),
        (
            "核对方法 How to check",
            (
                "SHA-256 按数据表各行的 CSV 计算(UTF-8,无 BOM,行尾 CR LF,含标题行);"
                "审计中有同一数值。 SHA-256 over the rows as CSV (UTF-8, no BOM, CR LF, heading"
                " included); the audit has the same value."
            ),
        ),
    ]


def _widths(table: Table) -> list[int]:
    rows = [table.heads, *table.rows[:200]]
    return [
        min(48, max(10, *(_width(str(row[column])) for row in rows)) + 2)
        for column in range(len(table.heads))
    ]


def _width(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)


async def download(
    console: Console, visitor: Visitor, table: Table, kind: str, **details: str
) -> Response:
    """A sealed file; that it was taken is on record before it leaves.

    Args:
        console: Gives time and database.
        visitor: Who takes it.
        table: What.
        kind: ``csv`` or ``xlsx``.
        details: For the record: ids and days, no person.
    """
    at, by = console.now(), visitor.account.id
    content = as_csv(table, at, by) if kind == "csv" else as_xlsx(table, at, by)
    await acts.by(
        console.pool, visitor, "export", now=at, target=f"{table.name}.{kind}",
        rows=len(table.rows), sha256=seal(table), file_sha256=sha256(content).hexdigest(),
        **details,
    )  # fmt: skip
    headers = {"Content-Disposition": f'attachment; filename="{table.name}.{kind}"'}
    media = "text/csv; charset=utf-8" if kind == "csv" else _XLSX
    return Response(content, media_type=media, headers={**HEADERS, **headers})
