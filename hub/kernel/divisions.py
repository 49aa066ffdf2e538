"""Administrative divisions (行政区划): a table with dates, asked as of a date.

Codes have 6 digits (GB/T 2260), 9 (to the township) or 12 (statistics, to the village). Zeros
that only fill up are cut: ``320682000000`` is ``320682`` and ``370800`` is ``3708``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from hub.kernel.errors import ConfigurationError, DataError

COLUMNS = ("code", "name", "level", "kind", "valid_from", "valid_to", "parent", "successors")
LEVELS = {2: "province", 4: "city", 6: "county", 9: "town", 12: "village"}
"""Level by the number of digits that are left when filling zeros are cut."""
KINDS = ("gb2260", "stat")

_CACHED = 65_536


class Division(NamedTuple):
    """One unit for one span of time.

    ``valid_from`` is the first day (``None``: always), ``valid_to`` the first day no more
    (``None``: still). ``listed`` tells that the table holds every unit right below this one,
    so that an unlisted code under it is wrong and not merely unknown.
    """

    code: str
    name: str
    level: str
    kind: str
    valid_from: date | None
    valid_to: date | None
    parent: str
    successors: tuple[str, ...]
    listed: bool = False

    def live(self, on: date) -> bool:
        """Whether the unit exists on that day."""
        return (self.valid_from is None or self.valid_from <= on) and not self.ended(on)

    def ended(self, on: date) -> bool:
        """Whether the unit is gone on that day."""
        return self.valid_to is not None and self.valid_to <= on


def canonical(code: str) -> str:
    """The code without the zeros that only fill up: 2, 4, 6, 9 or 12 digits.

    Raises:
        DataError: ``E-AREA-UNKNOWN``, not 2, 4, 6, 9 or 12 digits.
    """
    if len(code) not in LEVELS or not (code.isascii() and code.isdigit()):
        raise DataError("E-AREA-UNKNOWN", "area", "not a division code")
    for length, filling in ((12, "000"), (9, "000"), (6, "00"), (4, "00")):
        if len(code) == length and code.endswith(filling):
            code = code[: -len(filling)]
    return code


def above(code: str) -> str:
    """The code one level up of a canonical code; empty above a province."""
    return canonical(code[: {12: 9, 9: 6, 6: 4, 4: 2, 2: 0}[len(code)]]) if len(code) > 2 else ""


def street(code: str) -> str | None:
    """The nine digits of the street or town, ``None`` where the code is coarser."""
    short = canonical(code)
    return short[:9] if len(short) >= 9 else None


class Divisions:
    """The table.

    Args:
        rows: The units; one code may stand there several times with different dates.
    """

    def __init__(self, rows: Iterable[Division]) -> None:
        self._rows: dict[str, list[Division]] = {}
        for row in rows:
            self._rows.setdefault(row.code, []).append(row)
        self._resolved: dict[tuple[str, date], str] = {}

    @classmethod
    def load(cls, path: Path | None = None) -> Divisions:
        """Read a CSV file with the columns :data:`COLUMNS`, and ``listed`` if it likes.

        Args:
            path: The customer's file; ``None``: the one shipped.

        Raises:
            ConfigurationError: the file cannot be read or a row is wrong; tells the line.
        """
        source = path or files("hub.kernel") / "data" / "divisions.csv"
        try:
            text = source.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"The division table {path} cannot be read: {error}.",
                hint="Give a UTF-8 CSV file.",
                message_zh=f"无法读取区划表 {path}。",
            ) from error
        return cls(_rows(text, str(path or "divisions.csv")))

    def resolve(self, code: str, on: date) -> str:
        """The canonical code of the unit that is live on a day.

        A unit that has ended answers with its successor if there is exactly one. Below a known
        unit whose parts are not listed, a code is taken as it is; under an ended one it becomes
        the successor's code, which is coarser and still right.

        Raises:
            DataError: ``E-AREA-UNKNOWN``, no such unit on that day or several successors.
        """
        try:
            return self._resolved[code, on]
        except KeyError:
            found = self._resolve(canonical(code), on, set())
        if len(self._resolved) >= _CACHED:
            self._resolved.clear()
        self._resolved[code, on] = found
        return found

    def _resolve(self, code: str, on: date, passed: set[str]) -> str:
        rows = self._rows.get(code)
        if rows is None:
            return self._unlisted(code, on, passed)
        if any(row.live(on) for row in rows):
            return code
        ended = [row for row in rows if row.ended(on)]
        if not ended or code in passed:
            raise DataError("E-AREA-UNKNOWN", "area", "not valid on that date")
        last = max(ended, key=lambda row: row.valid_to or date.min)
        if len(last.successors) != 1:
            detail = f"{len(last.successors)} successors"
            raise DataError("E-AREA-UNKNOWN", "area", detail)
        return self._resolve(last.successors[0], on, passed | {code})

    def _unlisted(self, code: str, on: date, passed: set[str]) -> str:
        up = above(code)
        if not up:
            raise DataError("E-AREA-UNKNOWN", "area", "no such province")
        if any(row.listed for row in self._rows.get(up, ())):
            raise DataError("E-AREA-UNKNOWN", "area", "not in the list of its parent")
        found = self._resolve(up, on, passed)
        return code if found == up else found

    def is_within(self, code: str, prefix: str) -> bool:
        """Whether a unit lies in another one (or is it), by digits or by the table's parents.

        A development zone may carry digits that are not those of the place it belongs to.

        Raises:
            DataError: ``E-AREA-UNKNOWN``, one of the two is no division code.
        """
        area, unit = canonical(prefix), canonical(code)
        passed = set()
        while unit and unit not in passed:
            if unit.startswith(area):
                return True
            passed.add(unit)
            rows = self._rows.get(unit)
            unit = rows[-1].parent if rows else above(unit)
        return False

    def street(self, code: str) -> str | None:
        """The nine digits of the street or town, ``None`` where the code is coarser."""
        return street(code)

    def get(self, code: str, on: date) -> Division | None:
        """The row that is live on a day, ``None`` if the table has none."""
        rows = self._rows.get(canonical(code), ())
        return next((row for row in rows if row.live(on)), None)


def _rows(text: str, name: str) -> list[Division]:
    reader = csv.DictReader(text.splitlines())
    missing = set(COLUMNS) - set(reader.fieldnames or ())
    if missing:
        raise ConfigurationError(
            f"{name}: columns are missing: {', '.join(sorted(missing))}.",
            hint=f"The columns are {', '.join(COLUMNS)}.",
            message_zh=f"{name} 缺少列:{'、'.join(sorted(missing))}。",
        )
    rows = []
    for row in reader:
        try:
            rows.append(_row(row))
        except (DataError, ValueError, AttributeError) as error:
            raise ConfigurationError(
                f"{name}, line {reader.line_num}: {error}.",
                hint="Correct the row and load the table again.",
                message_zh=f"{name} 第 {reader.line_num} 行有误:{error}。",
            ) from error
    return rows


def _row(row: dict[str, str]) -> Division:
    code = canonical(row["code"].strip())
    level, kind = row["level"].strip(), row["kind"].strip()
    if level != LEVELS[len(code)]:
        raise ValueError(f"level is {LEVELS[len(code)]} for {code}")
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}")
    parent = row["parent"].strip()
    return Division(
        code,
        row["name"].strip(),
        level,
        kind,
        _day(row["valid_from"]),
        _day(row["valid_to"]),
        canonical(parent) if parent else "",
        tuple(canonical(part) for part in row["successors"].replace(";", " ").split()),
        (row.get("listed") or "").strip() == "all",
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text.strip()) if text.strip() else None
