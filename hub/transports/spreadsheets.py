"""Spreadsheets of offices: CSV in UTF-8 or GB18030 and Excel workbooks, read as text.

A number of more than 15 digits has lost its last ones in Excel. It is given in scientific
notation, so that nobody can take what is left for an ID number.
"""

from __future__ import annotations

import codecs
import csv
import re
import zipfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from hub.kernel.errors import DataError
from hub.kernel.texts import fold
from hub.sdk.ways import FileOptions

SUFFIXES = (".csv", ".xlsx")
"""Files that can be read."""
REASON = "原因/reason"
"""Column of a file of rejects that tells what to mend."""
MAX_UNPACKED = 1 << 29
"""Bytes that a workbook may have unpacked."""

_RATIO = 200
_CHUNK = 1 << 20
_TITLE_ROWS = 10
_EXACT = 10**15
_CELL = 1 << 24
_LONG = re.compile(r"[0-9]{12,}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Line(NamedTuple):
    """One row as the office sees it; ``number`` counts from 1 with the title row."""

    number: int
    cells: tuple[str, ...]


Lines = Generator[Line, None, None]


class Sheet(NamedTuple):
    """A sheet under its title row.

    Attributes:
        titles: The title row as written.
        fields: Field of each column; None where it belongs to no field.
        lines: The rows that are not empty.
    """

    titles: tuple[str, ...]
    fields: tuple[str | None, ...]
    lines: Iterator[Line]

    def row(self, line: Line) -> dict[str, str | None]:
        """The row as fields; empty cells are None."""
        filled = (*line.cells, *[""] * (len(self.fields) - len(line.cells)))
        pairs = zip(self.fields, filled, strict=False)
        return {field: cell or None for field, cell in pairs if field}


@contextmanager
def opened(path: Path, options: FileOptions) -> Iterator[Sheet]:
    """Open a file; rows are read as they are asked for.

    The title row is looked for in the ten rows from ``header_row`` on, as offices put the name
    of a list above it.

    Args:
        path: ``.csv`` or ``.xlsx``.
        options: Of the manifest: columns, sheet, encodings.

    Raises:
        DataError: ``E-ENCODING``; ``E-FIELD-MISSING`` naming the columns; ``E-FIELD-TYPE``: no
            workbook, one with a password, or a column twice; ``E-TOO-LARGE``: a workbook that
            unpacks to far too much. Also raised while reading rows.
    """
    if path.suffix.lower() == ".csv":
        lines = _csv_lines(path, tuple(options.encodings))
    else:
        lines = _workbook_lines(path, options.sheet)
    try:
        yield _under_titles(lines, options)
    finally:
        lines.close()


def _under_titles(lines: Lines, options: FileOptions) -> Sheet:
    known = {_title(heading): name for heading, name in options.headings().items()}
    missing: set[str] = set(options.required)
    last = options.header_row + _TITLE_ROWS
    for line in takewhile(lambda line: line.number < last, lines):
        fields = tuple(known.get(_title(cell)) for cell in line.cells)
        absent = options.required.difference(fields)
        if line.number >= options.header_row and not absent:
            _refuse_twice(fields)
            return Sheet(line.cells, fields, lines)
        missing = min(missing, set(absent), key=len)
    names = ", ".join(sorted(missing))
    raise DataError("E-FIELD-MISSING", names, "the title row lacks columns")


def _refuse_twice(fields: tuple[str | None, ...]) -> None:
    named = [field for field in fields if field]
    twice = {field for field in named if named.count(field) > 1}
    if twice:
        raise DataError("E-FIELD-TYPE", ", ".join(sorted(twice)), "two columns of one field")


def _title(text: str) -> str:
    return "".join(fold(text).split()).strip("*:").casefold()


def _csv_lines(path: Path, encodings: Sequence[str]) -> Lines:
    encoding = encoding_of(path, encodings)
    csv.field_size_limit(_CELL)
    with path.open(encoding=encoding, newline="") as file:
        delimiter = _delimiter(file.read(_CHUNK // 64))
        file.seek(0)
        try:
            for number, cells in enumerate(csv.reader(file, delimiter=delimiter), 1):
                if any(cells):
                    yield Line(number, tuple(_unescaped(cell.strip(" \u3000")) for cell in cells))
        except csv.Error as error:
            raise DataError("E-FIELD-TYPE", "", f"not a CSV file: {error}") from None


def _delimiter(beginning: str) -> str:
    return max(",;\t", key=beginning.count)


def encoding_of(path: Path, others: Sequence[str] = ("gb18030",)) -> str:
    """Encoding of a text file: ``utf-8-sig``, ``utf-16`` (with its mark) or one of ``others``.

    GB18030 takes nearly any bytes, so it is believed only where the text is not UTF-8 with some
    damage, which it would turn into other characters without a word.

    Raises:
        DataError: ``E-ENCODING``.
    """
    with path.open("rb") as file:
        if file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
            others = ("utf-16",)
    good, bad = _utf8_letters(path)
    if not bad:
        return "utf-8-sig"
    if good > bad:
        raise DataError("E-ENCODING", "", "UTF-8 with damaged characters")
    for encoding in others:
        if not encoding.lower().startswith("utf-8") and _decodable(path, encoding):
            return encoding
    raise DataError("E-ENCODING", "", "neither UTF-8 nor GB18030")


def _utf8_letters(path: Path) -> tuple[int, int]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    for chunk, last in _chunks(path):
        text = decoder.decode(chunk, last)
        if not text.isascii():
            wrong = text.count("\ufffd")
            bad += wrong
            good += sum(letter > "\x7f" for letter in text) - wrong
    return good, bad


def _decodable(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        for chunk, last in _chunks(path):
            decoder.decode(chunk, last)
    except UnicodeDecodeError:
        return False
    return True


def _chunks(path: Path) -> Iterator[tuple[bytes, bool]]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk, False
        yield b"", True


def _workbook_lines(path: Path, name: str) -> Lines:
    _refuse_bomb(path)
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            if name and name not in book.sheet_names:
                raise DataError("E-FIELD-MISSING", name, "the workbook lacks this sheet")
            sheet = book.get_sheet_by_name(name) if name else book.get_sheet_by_index(0)
            first = (sheet.start or (0, 0))[0] + 1
            for number, cells in enumerate(sheet.iter_rows(), first):
                line = Line(number, tuple(_cell(cell) for cell in cells))
                if any(line.cells):
                    yield line
    except CalamineError as error:
        raise DataError("E-FIELD-TYPE", "", f"not a readable workbook: {error}") from None


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, OSError):
        raise DataError("E-FIELD-TYPE", "", "not a workbook, or one with a password") from None
    if size > MAX_UNPACKED or size > _RATIO * max(path.stat().st_size, _CHUNK // 10):
        raise DataError("E-TOO-LARGE", "", "the workbook unpacks to too much")


def _cell(value: object) -> str:
    match value:
        case str():
            return _unescaped(value.strip())
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _number(value)
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
    return str(value)


def _number(value: float) -> str:
    if abs(value) >= _EXACT:
        return f"{value:.14E}"
    return str(int(value)) if value == int(value) else repr(value)


def escaped(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _unescaped(text: str) -> str:
    # What this module escaped comes back when the office returns a corrected file.
    bare = text[1:]
    hidden = bare.startswith(_FORMULA) or _LONG.fullmatch(bare)
    return bare if text[:1] == "'" and hidden else text


def _kept(text: str) -> str:
    # Excel reads long digits of a CSV file as a number and loses the last ones on saving.
    return f"'{text}" if _LONG.fullmatch(text) else text


def write_rejects(
    path: Path, titles: Sequence[str], rows: Iterable[tuple[Sequence[str], str]]
) -> None:
    """Write rejected rows in the form of their file, with a column that tells what to mend.

    Args:
        path: ``.csv`` (UTF-8 with mark, as Excel expects it) or ``.xlsx`` (cells as text).
        titles: Title row of the office's file.
        rows: Cells and reason.
    """
    # A file of rejects that comes back with mistakes left has the column already.
    kept = [index for index, title in enumerate(titles) if title != REASON]
    table = (
        [escaped(cells[index] if index < len(cells) else "") for index in kept] + [escaped(reason)]
        for cells, reason in rows
    )
    head = [*(escaped(titles[index]) for index in kept), REASON]
    if path.suffix.lower() == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([head, *([_kept(cell) for cell in row] for row in table)])
        return
    import xlsxwriter  # takes longer to load than all the rest, and most files are right

    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    with xlsxwriter.Workbook(str(path), options) as book:
        text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet()
        for number, cells in enumerate([head, *table]):
            for column, cell in enumerate(cells):
                sheet.write_string(number, column, cell, text)
