"""Roster files: a CSV file of the people on roll, read record by record."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import NoReturn, Self

from hub.cli.roster_places import BLOCK, Place, Places
from hub.cli.roster_rows import COLUMNS, REQUIRED, row_of
from hub.intake.people import People
from hub.kernel.errors import ConfigurationError, DataError
from hub.model.openings import OpeningRow

LINE_BYTES = 1 << 20
"""Longest line; a file without line ends is no roster and must not fill the memory."""
CELL_CHARS = 1 << 17
"""Longest cell; a quote that is never closed must not take in the file."""


class RosterFile:
    """One file: ``check`` reads it whole, then ``households`` gives it household by household.

    Neither keeps more than a block of places and one household in memory, however long the file.

    Args:
        path: CSV, UTF-8, with a line of heads; rows in any order.
        people: Turns ID numbers into uids.
        block: Places kept in memory.

    Raises:
        ConfigurationError: by every method: the file cannot be read, or lacks a column.
    """

    def __init__(self, path: Path, people: People, *, block: int = BLOCK) -> None:
        self.path = path
        self._people = people
        self.places = Places(block)
        self._digest = sha256()
        # The module keeps one limit for the process, and readers of spreadsheets raise it.
        csv.field_size_limit(CELL_CHARS)
        self._at = self._line = 0
        try:
            self._file = path.open("rb")
            self.size = path.stat().st_size
        except OSError as error:
            self._unreadable(error)
        self._heads = self._named_heads()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.places.__exit__()
        self._file.close()

    @property
    def digest(self) -> str:
        """Of the content, hexadecimal; whole once ``check`` is through."""
        return self._digest.hexdigest()

    def check(
        self, told: Callable[[int, int], None] = lambda _people, _offset: None
    ) -> Iterator[tuple[int, DataError]]:
        """Lines that cannot be used, with their reasons; the others are put in order.

        Args:
            told: Hears after each record how many are well, and the bytes read.
        """
        reader = csv.reader(self._lines(self._digest.update))
        while True:
            offset, number = self._at, self._line + 1
            cells = self._next(reader)
            if cells is None:
                return
            if cells:
                try:
                    row = self._row(cells)
                    self.places.add(Place(row.household, offset, number))
                except DataError as error:
                    yield number, error
                told(self.places.count, self._at)

    def households(self, start: int = 0) -> Iterator[list[OpeningRow]]:
        """Rows of one household after the other, by household id.

        Args:
            start: Households to leave out; they are not read.
        """
        for places in islice(self.places.households(), start, None):
            yield [self._found(place) for place in places]

    def _found(self, place: Place) -> OpeningRow:
        if self._at != place.offset:
            self._file.seek(place.offset)
        self._at, self._line = place.offset, place.line - 1
        try:
            row = self._row(self._next(csv.reader(self._lines())) or [])
        except DataError:
            row = None
        if row is None or row.household != place.household:
            raise ConfigurationError(
                f"The roster file changed while it was read (line {place.line}).",
                hint="Load it again when nobody writes it.",
                message_zh=f"名册文件在读取过程中被修改(第 {place.line} 行),请重新装载。",
            )
        return row

    def _row(self, cells: list[str]) -> OpeningRow:
        padded = cells + [""] * (len(self._heads) - len(cells))
        named = {name: cell.strip() for name, cell in zip(self._heads, padded, strict=False)}
        return row_of(named, self._people)

    def _named_heads(self) -> list[str]:
        cells = self._next(csv.reader(self._lines(self._digest.update))) or []
        heads = [COLUMNS.get(cell.strip(), cell.strip()) for cell in cells]
        missing = [name for name in REQUIRED if name not in heads]
        if missing:
            self._file.close()
            raise ConfigurationError(
                f"The roster file lacks the columns {', '.join(missing)}.",
                hint=f"Columns: {', '.join(COLUMNS)}.",
                message_zh=f"名册文件缺少列:{'、'.join(missing)}。",
            )
        return heads

    def _next(self, reader: Iterator[list[str]]) -> list[str] | None:
        try:
            return next(reader, None)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self._unreadable(error)

    def _lines(self, seen: Callable[[bytes], None] = lambda _line: None) -> Iterator[str]:
        while line := self._file.readline(LINE_BYTES):
            if len(line) == LINE_BYTES:
                raise csv.Error(f"line longer than {LINE_BYTES} bytes")
            seen(line)
            encoding = "utf-8" if self._at else "utf-8-sig"
            self._at += len(line)
            self._line += 1
            yield line.decode(encoding)

    def _unreadable(self, error: Exception) -> NoReturn:
        place = f", line {self._line}" if self._line else ""
        raise ConfigurationError(
            f"The roster file {self.path}{place} cannot be read: {error}.",
            hint="Give a UTF-8 CSV file.",
            message_zh=f"无法读取名册文件 {self.path},请使用 UTF-8 的 CSV 文件。",
        ) from error
