"""Derived forms: what a receiver gets instead of a date, an amount, a diagnosis or an address.

They are made here and never by the receiver. Each takes the raw field groups and answers None
where the raw value is not known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import date
from typing import Any

from hub.contracts.events import Groups
from hub.kernel.dates import date_of, days

Derive = Callable[[Groups, int], Any]
"""(raw groups, day of the copy) → value or None."""

BANDS = (100_000, 500_000, 1_000_000, 3_000_000, 5_000_000)
"""Lower bounds of the cost bands above the first, fen."""
_BAND_NAMES = ("0-1000", "1000-5000", "5000-10000", "10000-30000", "30000-50000", "50000+")
_AGES = (14, 18, 60, 80)
_AGE_NAMES = ("0-13", "14-17", "18-59", "60-79", "80+")
_CHAPTERS = (
    ("A00", "I"),
    ("C00", "II"),
    ("D50", "III"),
    ("E00", "IV"),
    ("F00", "V"),
    ("G00", "VI"),
    ("H00", "VII"),
    ("H60", "VIII"),
    ("I00", "IX"),
    ("J00", "X"),
    ("K00", "XI"),
    ("L00", "XII"),
    ("M00", "XIII"),
    ("N00", "XIV"),
    ("O00", "XV"),
    ("P00", "XVI"),
    ("Q00", "XVII"),
    ("R00", "XVIII"),
    ("S00", "XIX"),
    ("U00", "XXII"),
    ("V00", "XX"),
    ("Z00", "XXI"),
)
"""ICD-10 chapters by the first code of each block of letters, in order of the codes."""
_CHAPTER_STARTS = tuple(start for start, _ in _CHAPTERS)
_COUNTY = 6
_STREET = 9
_MONTHS: dict[int, str] = {}


def month(day: int | None) -> str | None:
    """``2025-04`` of days since 1970-01-01."""
    if day is None:
        return None
    try:
        return _MONTHS[day]
    except KeyError:
        text = date_of(day).isoformat()[:7]
    if len(_MONTHS) < 65_536:
        _MONTHS[day] = text
    return text


def cost_band(remainder: int | None) -> str | None:
    """Band in yuan of what remains to be paid, fen."""
    return None if remainder is None else _BAND_NAMES[bisect_right(BANDS, remainder)]


def icd_chapter(code: str | None) -> str | None:
    """Chapter of an ICD-10 code: ``C34.1`` → ``II``."""
    if not code:
        return None
    found = bisect_right(_CHAPTER_STARTS, code.strip().upper()[:3])
    return _CHAPTERS[found - 1][1] if found else None


def age_band(born: int, on: int) -> str:
    """Age band on a day of somebody born on a day (both days since 1970-01-01)."""
    birth, today = date_of(born), date_of(on)
    age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return _AGE_NAMES[bisect_right(_AGES, age)]


def member_age(member: dict[str, Any], on: int) -> str | None:
    """The band a member came with, else the one of the birth date in the ID number."""
    number = member.get("id_number")
    if member.get("age_band") or not number or len(number) != 18:
        return member.get("age_band")
    return age_band(days(number[6:14]), on)


def county(code: str | None) -> str | None:
    """A division code no finer than the county (6 digits)."""
    return code[:_COUNTY] if code else None


def _street_code(groups: Groups, _: int) -> str | None:
    code = groups.get("area", {}).get("residence_area")
    return code[:_STREET] if code and len(code) >= _STREET else None


def _work_ability(groups: Groups, _: int) -> str | None:
    """``limited`` or ``full``; never why."""
    flags, disability = groups.get("flags", {}), groups.get("disability", {})
    known = [flags.get("severe_disability"), flags.get("serious_illness"), disability.get("grade")]
    if any(known):
        return "limited"
    return None if all(value is None for value in known) else "full"


def _settlement_flag(groups: Groups, on: int) -> bool | None:
    category = groups.get("category", {})
    if not category.get("category"):
        return None
    first, after = category.get("effective_from"), category.get("effective_to")
    return (first is None or first <= on) and (after is None or on < after)


def _month_of(group: str, field: str) -> Derive:
    return lambda groups, _: month(groups.get(group, {}).get(field))


DERIVED: dict[tuple[str, str], Derive] = {
    ("category", "effective_from_month"): _month_of("category", "effective_from"),
    ("category", "effective_to_month"): _month_of("category", "effective_to"),
    ("contact", "street_code"): _street_code,
    ("medcost", "cost_band"): lambda groups, _: cost_band(
        groups.get("medcost", {}).get("remainder")
    ),
    ("diagnosis", "icd_chapter"): lambda groups, _: icd_chapter(
        groups.get("diagnosis", {}).get("icd_code")
    ),
    ("job", "work_ability"): _work_ability,
    ("flags", "settlement_flag"): _settlement_flag,
    ("area", "residence_area"): lambda groups, _: county(
        groups.get("area", {}).get("residence_area")
    ),
    ("area", "hukou_area"): lambda groups, _: county(groups.get("area", {}).get("hukou_area")),
}
"""(group, field) of a copy → how it is made. The first month no more is told as the month in
which entitlement ends."""


def today(now_ms: int) -> int:
    """Days since 1970-01-01 of an instant, civil date of Asia/Shanghai."""
    return (now_ms + 28_800_000) // 86_400_000


def civil(day: int) -> str:
    """``2025-04-01`` of days since 1970-01-01."""
    found: date = date_of(day)
    return found.isoformat()
