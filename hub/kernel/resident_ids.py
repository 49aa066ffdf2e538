"""Resident ID numbers (公民身份号码, GB 11643-1999): safe normalisation and checks.

``AAAAAA YYYYMMDD SSS C``: six digits of the place of first registration (never the present
residence), birth date, sequence (odd: male, even: female), check character by
ISO 7064 MOD 11-2.

Two ways in: :func:`check` explains a number fully, :func:`checked` is for streams.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from hub.kernel.errors import DataError

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""Weights of the first 17 digits; the check character itself weighs 1."""
CHECK_CHARACTERS = "10X98765432"
"""Check character by the weighted sum modulo 11."""

PROVINCES = frozenset(
    f"{region}{number}"
    for region, numbers in {1: "12345", 2: "123", 3: "1234567", 4: "123456", 5: "01234"}.items()
    for number in numbers
) | {"61", "62", "63", "64", "65", "71"}
"""First two digits of citizens' numbers."""
PERMITS = frozenset(("810000", "820000", "830000"))
"""Address part on residence permits of people from Hong Kong, Macao and Taiwan."""
SYNTHETIC = "99"
"""First digits of invented people; no province code starts with 9."""

_INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_FOLD: dict[int, int | None] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FOLD |= dict.fromkeys(map(ord, _INVISIBLE))
_FOLD[ord("x")] = _FOLD[ord("ｘ")] = ord("X")
_APOSTROPHES = "'\u2018\u2019"

_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_LOST = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]{2}|[0-9]{15,18}\.0*")
_OLD_FOREIGN = re.compile(r"[A-Z]{3}[0-9]{12}")
_OLDEST = 120
_CENTURY_UNCLEAR = frozenset(("996", "997", "998", "999"))


class Sex(StrEnum):
    """Sex as the sequence number tells it."""

    MALE = "male"
    FEMALE = "female"


class Holder(StrEnum):
    """Whose number it is, by its first digits."""

    CITIZEN = "citizen"
    PERMIT = "permit"
    FOREIGNER = "foreigner"
    SYNTHETIC = "synthetic"


class ResidentId(NamedTuple):
    """A number that passed every check.

    ``warnings`` holds ``age_implausible`` (over 120 years), ``area_unknown`` and
    ``maybe_rounded`` (ends in 000 as spreadsheet-rounded numbers do, yet the check character
    is right); none of them is a reason to reject.
    """

    number: str
    birth: date
    sex: Sex
    kind: Holder
    warnings: tuple[str, ...]


def normalise(text: str) -> str:
    """Fold width, drop spaces, zero-width characters and a leading apostrophe; ``x`` → ``X``.

    Nothing else is changed, so no wrong number can become somebody's right one.
    """
    return "".join(text.translate(_FOLD).split()).lstrip(_APOSTROPHES)


def check_character(digits: str) -> str:
    """The check character of the first 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
    return CHECK_CHARACTERS[total % 11]


def check(
    text: str,
    *,
    recorded: date | None,
    synthetic: bool,
    known_area: Callable[[str], bool] | None = None,
) -> ResidentId:
    """Explain a number, or say exactly what is wrong with it.

    Args:
        text: The number as the source wrote it.
        recorded: Date on which the source recorded it; a later birth is refused. ``None``:
            not known, so nothing is judged against time.
        synthetic: Whether invented people (prefix 99) are accepted here.
        known_area: Tells whether a six-digit county code is known; an unknown one is a
            warning only, because counties come and go.

    Raises:
        DataError: ``E-ID-LOST``, ``E-ID-15``, ``E-ID-LENGTH``, ``E-ID-FORM``, ``E-ID-CHECK``,
            ``E-ID-DATE`` or ``E-ID-SYNTHETIC``.
    """
    number = normalise(text)
    _check_shape(number)
    if check_character(number[:17]) != number[17]:
        # Three zeros at the end are what 15 significant digits leave of an ID number.
        raise DataError("E-ID-LOST" if number.endswith("000") else "E-ID-CHECK", "id_number")
    kind = _holder(number)
    birth = _birth(number[6:14])
    if recorded is not None and birth > recorded:
        raise DataError("E-ID-DATE", "id_number", "birth lies after the record date")
    if kind is Holder.SYNTHETIC and not synthetic:
        raise DataError("E-ID-SYNTHETIC", "id_number")
    sex = Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
    warnings = []
    if birth.year < (recorded.year - _OLDEST if recorded else 1900):
        warnings.append("age_implausible")
    if known_area and kind is Holder.CITIZEN and not known_area(number[:6]):
        warnings.append("area_unknown")
    if number.endswith("000"):
        warnings.append("maybe_rounded")
    return ResidentId(number, birth, sex, kind, tuple(warnings))


def _check_shape(number: str) -> None:
    if _LOST.fullmatch(number):
        raise DataError("E-ID-LOST", "id_number")
    if _OLD_FOREIGN.fullmatch(number):
        detail = "old permanent-residence card: give the 18-character number"
        raise DataError("E-ID-FORM", "id_number", detail)
    if len(number) == 15 and number.isascii() and number.isdigit():
        raise DataError("E-ID-15", "id_number")
    if len(number) != 18:
        raise DataError("E-ID-LENGTH", "id_number", f"{len(number)} characters")
    if not _SHAPE.fullmatch(number):
        raise DataError("E-ID-FORM", "id_number")


def _holder(number: str) -> Holder:
    if number.startswith(SYNTHETIC):
        return Holder.SYNTHETIC
    if number[:2] in PROVINCES:
        return Holder.CITIZEN
    if number[:6] in PERMITS:
        return Holder.PERMIT
    if number[0] == "9" and number[1:3] in PROVINCES:
        return Holder.FOREIGNER
    raise DataError("E-ID-FORM", "id_number", "no holder has this prefix")


def _birth(digits: str) -> date:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise DataError("E-ID-DATE", "id_number") from None


def from_fifteen(text: str) -> str:
    """The 18-character candidate of a 15-digit number (GB 11643-1989).

    A candidate only: 15 digits carry no check character, so accept it where the converted
    number *and* the name match a known person, else put it aside.

    Raises:
        DataError: ``E-ID-15`` if it is not 15 digits or the century is unclear (sequence 996
            to 999 stood for people born before 1900), ``E-ID-FORM``, ``E-ID-DATE``.
    """
    number = normalise(text)
    if len(number) != 15 or not (number.isascii() and number.isdigit()):
        raise DataError("E-ID-15", "id_number", "not 15 digits")
    if number[12:] in _CENTURY_UNCLEAR:
        raise DataError("E-ID-15", "id_number", "the century of birth is unclear")
    digits = f"{number[:6]}19{number[6:]}"
    if digits[:2] not in PROVINCES:
        raise DataError("E-ID-FORM", "id_number", "no holder has this prefix")
    _birth(digits[6:14])
    return digits + check_character(digits)


def _table(start: int, width: int) -> dict[str, int]:
    # Weighted sum of every group of digits at one place; a group that is no key is no digits.
    weights = WEIGHTS[start : start + width]
    keys = (f"{value:0{width}}" for value in range(10**width))
    return {
        key: sum(int(digit) * weight for digit, weight in zip(key, weights, strict=True))
        for key in keys
    }


def _head(prefix: str) -> bool:
    return prefix[:2] in PROVINCES or (prefix[0] == "9" and prefix[1:] in PROVINCES)


_AREA = _table(3, 3)
_SEQUENCE = _table(14, 2)
_LAST = {
    f"{digit}{last}": digit * WEIGHTS[16] + (10 if last == "X" else int(last))
    for digit in range(10)
    for last in "0123456789X"
}
_HEADS = _table(0, 3)
_REAL_HEADS = {key: value for key, value in _HEADS.items() if _head(key)}
_ALL_HEADS = _REAL_HEADS | {key: value for key, value in _HEADS.items() if key[:2] == SYNTHETIC}
_BIRTHS_KEPT = 65_536


class _Births(dict[str, int]):
    """Weighted sum of a birth date's eight digits, learned as dates come."""

    def __missing__(self, digits: str) -> int:
        if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
            raise KeyError(digits)
        _birth(digits)
        if len(self) >= _BIRTHS_KEPT:
            self.clear()
        total = self[digits] = _YEAR[digits[:4]] + _DAY[digits[4:]]
        return total


_YEAR = _table(6, 4)
_DAY = _table(10, 4)
_BIRTHS = _Births()


def checked(text: str, synthetic: bool, latest: str = "99991231") -> str:
    """The normalised 18-character number, as fast as Python allows.

    Judges exactly as :func:`check` does and raises the same errors.

    Args:
        text: The number as the source wrote it.
        synthetic: Whether invented people (prefix 99) are accepted here.
        latest: Record date as ``YYYYMMDD``; a birth after it is refused.
    """
    birth = text[6:14]
    try:
        total = (
            (_ALL_HEADS if synthetic else _REAL_HEADS)[text[:3]]
            + _AREA[text[3:6]]
            + _BIRTHS[birth]
            + _SEQUENCE[text[14:16]]
            + _LAST[text[16:]]
        )
    except (KeyError, DataError):
        return _checked_slowly(text, synthetic, latest)
    if total % 11 == 1 and birth <= latest:
        return text
    return _checked_slowly(text, synthetic, latest)


def _checked_slowly(text: str, synthetic: bool, latest: str) -> str:
    return check(text, recorded=_birth(latest), synthetic=synthetic).number


def display_mask(number: str) -> str:
    """An ID number for the screen: ``3206**********002X``; other texts are hidden whole."""
    if len(number) != 18:
        return "*" * len(number)
    return f"{number[:4]}{'*' * 10}{number[14:]}"


def name_mask(name: str) -> str:
    """A name for the screen: ``张**``, always two stars so that the length tells nothing."""
    return f"{name[:1]}**"


def phone_mask(phone: str) -> str:
    """A phone number for the screen: ``138****1234``; short ones are hidden whole."""
    if len(phone) < 11:
        return "*" * len(phone)
    return f"{phone[:3]}{'*' * (len(phone) - 7)}{phone[-4:]}"
