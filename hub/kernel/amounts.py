"""Amounts of money: exact yuan and fen from text in 元, 万元 or 分; never a float."""

from __future__ import annotations

import re
from decimal import Decimal

from hub.kernel.errors import DataError
from hub.kernel.texts import narrow

PLACES = {"元": 2, "万元": 6, "分": 0}
"""Decimal places that a unit has above one fen."""

_UNITS = {"元": "元", "圆": "元", "块": "元", "万元": "万元", "万": "万元", "分": "分"}
_AMOUNT = re.compile(
    r"[¥￥]?(?P<sign>-?)[¥￥]?"
    r"(?P<whole>[0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})"
    r"(?:\.(?P<part>[0-9]{1,12}))?"
    r"(?P<unit>万元|万|元|圆|块|分)?整?"
)


def fen(text: str, unit: str | None = None) -> int:
    """An amount in fen, exact.

    Args:
        text: E.g. ``1234.50``, ``1,234.5元``, ``3.2万元``, ``-12.00``.
        unit: Unit that the schema declares: 元, 万元 or 分. ``None``: the one in the text, else 元.

    Raises:
        DataError: ``E-AMOUNT``: no amount, parts of a fen, or a unit other than declared.
    """
    whole, _, part = text.partition(".")
    if (
        unit is None
        and len(part) == 2
        and len(whole) < 16
        and text.isascii()
        and whole.isdigit()
        and part.isdigit()
    ):
        return int(whole + part)
    return _fen(text, unit)


def _fen(text: str, unit: str | None) -> int:
    found = _AMOUNT.fullmatch("".join(narrow(text).split()))
    if not found:
        raise DataError("E-AMOUNT")
    written = _UNITS[found["unit"]] if found["unit"] else None
    if unit is not None and unit not in PLACES:
        raise ValueError(f"The unit is one of {', '.join(PLACES)}.")
    if unit and written and written != unit:
        raise DataError("E-AMOUNT", detail="another unit than declared")
    places = PLACES[unit or written or "元"]
    part = (found["part"] or "").rstrip("0")
    if len(part) > places:
        raise DataError("E-AMOUNT", detail="parts of a fen")
    digits = found["whole"].replace(",", "") + part.ljust(places, "0")
    return -int(digits) if found["sign"] else int(digits)


def yuan(text: str, unit: str | None = None) -> Decimal:
    """An amount in yuan with two places, exact; arguments and errors as :func:`fen`."""
    return yuan_of(fen(text, unit))


def yuan_of(amount: int) -> Decimal:
    """Yuan with two places of an amount in fen."""
    return Decimal(amount).scaleb(-2)


def fen_of(amount: Decimal) -> int:
    """Fen of an amount in yuan.

    Raises:
        DataError: ``E-AMOUNT``, not a finite number or parts of a fen.
    """
    if not amount.is_finite() or amount.adjusted() > 15:
        raise DataError("E-AMOUNT")
    scaled = amount.scaleb(2)
    if scaled != scaled.to_integral_value():
        raise DataError("E-AMOUNT", detail="parts of a fen")
    return int(scaled)


def text_of(amount: int) -> str:
    """Fen as text in yuan with two places: ``-12.05``."""
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02}"
