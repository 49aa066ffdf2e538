"""Headers of copies as they lie in the outbox, most of them packed once and joined per copy.

The table is that of :func:`hub.contracts.cloudevents.copy_headers`, which writes the pattern; a
plan only fills in what differs from copy to copy. A test compares the two for every receiver.
"""

from __future__ import annotations

from typing import Any

from hub.contracts.cloudevents import copy_headers
from hub.kernel.clocks import from_epoch_ms, rfc3339
from hub.model.outbox import Headers, pack
from hub.routing.derived import civil

_KEPT = 4096
_VARIABLE = (
    "ce_id",
    "ce_time",
    "ce_recordedtime",
    "ce_correlationid",
    "ce_causationid",
    "ce_subject",
    "ce_partitionkey",
    "ce_effectivefrom",
    "ce_decisionid",
    "ce_replaces",
)
_CONSTANT = (
    "type",
    "lifecycle",
    "jurisdiction",
    "rule_id",
    "mask_version",
    "profile_version",
)
_NAMES = {name: b"\x92" + (bytes((0xA0 | len(name),)) + name.encode()) for name in _VARIABLE}


class HeaderPlan:
    """Packed headers for one receiver.

    Args:
        program: The receiver.
        division: Of the hub, for ``ce_source``.
    """

    __slots__ = ("_division", "_heads", "_program", "_time")

    def __init__(self, program: str, division: str) -> None:
        self._program = program
        self._division = division
        self._heads: dict[tuple[Any, ...], tuple[int, bytes]] = {}
        self._time: tuple[int, bytes] = (-1, b"")

    def packed(self, copy: dict[str, Any], recorded: int) -> bytes:
        """All headers but the number, as :func:`hub.model.outbox.pack` writes them.

        Args:
            copy: As given to the encoder.
            recorded: ms since 1970, when the copy was made.
        """
        envelope = copy["envelope"]
        # Which groups are there decides the classification.
        key = (*copy, *[envelope[name] for name in _CONSTANT], copy["person_ref"] is None)
        count, head = self._heads.get(key) or self._head(key, copy, recorded)
        parts = [
            head,
            _pair("ce_id", envelope["copy_id"]),
            _NAMES["ce_time"],
            self._instant(envelope["occurred_at"]),
            _NAMES["ce_recordedtime"],
            self._instant(recorded),
            _pair("ce_correlationid", envelope["correlation_id"]),
        ]
        count += 4
        optional = (
            ("ce_causationid", envelope["causation_id"]),
            ("ce_subject", copy["person_ref"]),
            ("ce_partitionkey", copy["person_ref"]),
            ("ce_decisionid", envelope["decision_id"]),
            ("ce_replaces", envelope["replaces"]),
            ("ce_effectivefrom", _effective(copy)),
        )
        for name, value in optional:
            if value:
                parts.append(_pair(name, value))
                count += 1
        return b"\xdc" + count.to_bytes(2, "big") + b"".join(parts)

    def _head(self, key: tuple[Any, ...], copy: dict[str, Any], recorded: int) -> tuple[int, bytes]:
        pattern = copy_headers(self._program, copy, recorded=recorded, division=self._division)
        kept: Headers = [(name, value) for name, value in pattern if name not in _VARIABLE]
        head = len(kept), b"".join(pack([pair])[1:] for pair in kept)
        if len(self._heads) >= _KEPT:
            self._heads.clear()
        self._heads[key] = head
        return head

    def _instant(self, ms: int) -> bytes:
        # Copies of one batch share the hub's instant, and often the cause's.
        known, data = self._time
        if known != ms:
            data = _bin(rfc3339(from_epoch_ms(ms)).encode())
            self._time = ms, data
        return data


def _pair(name: str, value: str) -> bytes:
    return _NAMES[name] + _bin(value.encode())


def _bin(data: bytes) -> bytes:
    size = len(data)
    if size < 256:
        return b"\xc4" + bytes((size,)) + data
    return b"\xc5" + size.to_bytes(2, "big") + data


def _effective(copy: dict[str, Any]) -> str:
    """As exact as the receiver may know it: a day, or a month."""
    category = copy.get("category")
    if not category:
        return ""
    day = category.get("effective_from")
    return civil(day) if day is not None else category.get("effective_from_month") or ""
