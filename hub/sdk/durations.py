"""Spans of time as manifests write them: ISO 8601 durations such as ``PT15M`` or ``P3M``."""

from __future__ import annotations

import re

_FORM = re.compile(
    r"P(?=[0-9T])(?:(?P<Y>[0-9]+)Y)?(?:(?P<M>[0-9]+)M)?(?:(?P<W>[0-9]+)W)?(?:(?P<D>[0-9]+)D)?"
    r"(?:T(?=[0-9])(?:(?P<h>[0-9]+)H)?(?:(?P<m>[0-9]+)M)?(?:(?P<s>[0-9]+)S)?)?"
)
_MS = {
    "Y": 366 * 86_400_000,
    "M": 31 * 86_400_000,
    "W": 7 * 86_400_000,
    "D": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
}


def duration_ms(text: str) -> int:
    """A duration in ms; months count 31 and years 366 days, so a limit is never too early.

    Raises:
        ValueError: not an ISO 8601 duration, or nothing.
    """
    found = _FORM.fullmatch(text)
    total = sum(int(n) * _MS[unit] for unit, n in (found.groupdict() if found else {}).items() if n)
    if not total:
        raise ValueError("not an ISO 8601 duration such as PT15M, P1D or P3M")
    return total
