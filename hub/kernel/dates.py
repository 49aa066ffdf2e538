"""Civil dates out of what departments write.

``20260101``, ``2026-1-1``, ``2026年1月1日``, Excel serials. A date without a time means the
whole day, Asia/Shanghai.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from hub.kernel.errors import DataError
from hub.kernel.texts import narrow

EPOCH = date(1970, 1, 1).toordinal()
"""Ordinal of the day that Avro counts from."""

FAR = 2_000_000
"""Days after 1970 up to which the hub takes a date for one, roughly the year 7445."""

_EXCEL = date(1899, 12, 30)
_EXCEL_1904 = date(1904, 1, 1)
_SERIAL = re.compile(r"[1-9][0-9]{4}(?:\.0+)?")
_FORMS = re.compile(
    r"(?:([0-9]{4})([0-9]{2})([0-9]{2})"
    r"|([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"|([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})"
    r"|([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})"
    r"|([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})[日号]?)"
    r"(?:[T ]0?0:00(?::00(?:\.0+)?)?)?"
)
KNOWN: dict[str, int] = {}
"""Texts seen before → days; who looks here first saves a call of :func:`days`."""
_KEPT = 65_536
_YEARS = range(1800, 3000)


def days(text: str) -> int:
    """Days since 1970-01-01 (Avro ``date``); texts seen before cost one dictionary look-up.

    Raises:
        DataError: ``E-DATE``.
    """
    try:
        return KNOWN[text]
    except KeyError:
        return _learn(text)


def _learn(text: str) -> int:
    plain = len(text) == 8 and text.isascii() and text.isdigit()
    found = (_civil(text[:4], text[4:6], text[6:]) if plain else parse(text)).toordinal() - EPOCH
    if len(KNOWN) >= _KEPT:
        KNOWN.clear()
    KNOWN[text] = found
    return found


def parse(text: str) -> date:
    """The date of a text.

    Understood are year-month-day run together or with ``-``, ``/``, ``.`` or 年月日, a midnight
    after it, full-width digits, and Excel serials of five digits (1927 to 2173).

    Raises:
        DataError: ``E-DATE``; also for a time of day other than midnight, which a date would
            lose, and for years of two digits, which would be a guess.
    """
    plain = narrow(text).strip()
    if _SERIAL.fullmatch(plain):
        return from_excel(int(plain[:5]))
    found = _FORMS.fullmatch(plain)
    if not found:
        raise DataError("E-DATE")
    return _civil(*(part for part in found.groups() if part is not None))


def _civil(year: str, month: str, day: str) -> date:
    if int(year) not in _YEARS:
        raise DataError("E-DATE")
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise DataError("E-DATE") from None


def from_excel(serial: float, *, date1904: bool = False) -> date:
    """The date of an Excel serial number.

    Args:
        serial: Days as Excel counts them; a fraction would be a time of day.
        date1904: The workbook counts from 1904 (old Macintosh).

    Raises:
        DataError: ``E-DATE``: a fraction, or before March 1900, where Excel counts a day that
            never was.
    """
    first = 1 if date1904 else 61
    if serial != serial // 1 or not first <= serial < 400_000:
        raise DataError("E-DATE")
    return (_EXCEL_1904 if date1904 else _EXCEL) + timedelta(days=int(serial))


def date_of(days_since: int) -> date:
    """The date of days since 1970-01-01."""
    return date.fromordinal(EPOCH + days_since)


def days_of(day: date) -> int:
    """Days since 1970-01-01 of a date."""
    return day.toordinal() - EPOCH
