"""Sheets: some of many rows, by number in the address, so that no page grows with the hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Sheet(NamedTuple):
    """What one page shows of many rows.

    Attributes:
        rows: Those shown.
        number: Of the sheet, from 1.
        last: Number of the last sheet.
        first: Place of the first row shown, from 1; 0 where there is none.
        all: How many rows there are.
    """

    rows: Sequence[Any]
    number: int
    last: int
    first: int
    all: int


def sheet(rows: Sequence[Any], given: str, size: int) -> Sheet:
    """A sheet of rows in their order.

    Args:
        rows: All of them.
        given: Number out of an address; what is none, or too large, is the nearest one.
        size: Rows of a sheet.
    """
    last = max(1, -(-len(rows) // size))
    number = min(max(1, int(given)), last) if given.isdecimal() and len(given) < 9 else 1
    start = (number - 1) * size
    shown = rows[start : start + size]
    return Sheet(shown, number, last, start + 1 if shown else 0, len(rows))
