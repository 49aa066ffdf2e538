"""Digest of a roster, computed alike by the hub and by a recipient: no pseudonym goes into it.

A recipient's previous snapshot with the deltas since must have the digest of the new snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec

from hub.kernel.dates import days_of

_PSEUDONYMS = frozenset({"ref", "person_ref", "household_ref", "row_key", "uid"})
_ENCODER = msgspec.json.Encoder(order="deterministic")


def row_digest(row: Mapping[str, Any]) -> str:
    """Digest of one row, hexadecimal.

    Args:
        row: Field group → field → value, as in a delta or a part; dates as ``date`` or as days
            since 1970-01-01; absent and null count alike, and so does the order of a list.
    """
    return sha256(_ENCODER.encode(_plain(row))).hexdigest()[:32]


def roster_digest(digests: Iterable[str]) -> str:
    """Digest of a roster out of its rows' digests, in any order."""
    return sha256("\n".join(sorted(digests)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {name: _plain(inner) for name, inner in value.items() if name not in _PSEUDONYMS}
        return {name: inner for name, inner in kept.items() if inner not in (None, {}, [])}
    if isinstance(value, list | tuple):
        return sorted((_plain(inner) for inner in value), key=_ENCODER.encode)
    if isinstance(value, date):
        return days_of(value)
    return value
