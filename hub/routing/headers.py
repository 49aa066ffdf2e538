"""Headers of copies as they lie in the outbox: one pattern per kind of copy, filled in at once.

The table is that of :func:`hub.contracts.cloudevents.copy_headers`, which also makes the
patterns. What differs from copy to copy has a fixed length, or a pattern for each length, so a
pattern is packed once and each copy costs one formatting. A test compares the two ways for every
receiver.
"""

from __future__ import annotations

from typing import Any

from hub.contracts.cloudevents import copy_headers
from hub.kernel.clocks import from_epoch_ms, rfc3339
from hub.model.outbox import pack
from hub.routing.derived import civil

_KEPT = 4096
_CONSTANT = ("type", "lifecycle", "jurisdiction", "rule_id", "mask_version", "profile_version")
_FILLED = {
    "ce_id": "copy_id",
    "ce_time": "time",
    "ce_recordedtime": "recorded",
    "ce_correlationid": "correlation_id",
    "ce_causationid": "causation_id",
    "ce_subject": "person_ref",
    "ce_partitionkey": "person_ref",
    "ce_effectivefrom": "effective",
    "ce_decisionid": "decision_id",
}
"""Header → what stands in it. Everything else in a pattern is constant."""


class HeaderPlan:
    """Packed headers for one receiver.

    Args:
        program: The receiver.
        division: Of the hub, for ``ce_source``.
    """

    __slots__ = ("_division", "_instants", "_patterns", "_program")

    def __init__(self, program: str, division: str) -> None:
        self._program = program
        self._division = division
        self._patterns: dict[tuple[Any, ...], str] = {}
        self._instants: dict[int, str] = {}

    def packed(self, copy: dict[str, Any], recorded: int) -> bytes:
        """All headers but the number, as :func:`hub.model.outbox.pack` writes them.

        Args:
            copy: As given to the encoder.
            recorded: ms since 1970, when the copy was made.
        """
        envelope = copy["envelope"]
        decision = envelope["decision_id"] or ""
        if envelope["replaces"] or copy.get("rows") or not decision.isascii():
            return pack(
                copy_headers(self._program, copy, recorded=recorded, division=self._division)
            )
        effective = _effective(copy)
        values = {
            "copy_id": envelope["copy_id"],
            "time": self._instant(envelope["occurred_at"]),
            "recorded": self._instant(recorded),
            "correlation_id": envelope["correlation_id"],
            "causation_id": envelope["causation_id"],
            "person_ref": copy["person_ref"],
            "effective": effective,
            "decision_id": decision,
        }
        # Which groups are there decides the classification.
        lengths = len(effective), len(decision)
        key = (*copy, copy["person_ref"] is None, *lengths, *map(envelope.get, _CONSTANT))
        pattern = self._patterns.get(key) or self._pattern(key, copy, recorded)
        return (pattern % values).encode("latin-1")

    def _pattern(self, key: tuple[Any, ...], copy: dict[str, Any], recorded: int) -> str:
        headers = copy_headers(self._program, copy, recorded=recorded, division=self._division)
        parts = [(b"\xdc" + len(headers).to_bytes(2, "big")).decode("latin-1")]
        for name, value in headers:
            packed = pack([(name, value)])[1:].decode("latin-1").replace("%", "%%")
            if name in _FILLED:
                packed = f"{packed[: -len(value)]}%({_FILLED[name]})s"
            parts.append(packed)
        if len(self._patterns) >= _KEPT:
            self._patterns.clear()
        pattern = self._patterns[key] = "".join(parts)
        return pattern

    def _instant(self, ms: int) -> str:
        text = self._instants.get(ms)
        if text is None:
            if len(self._instants) >= _KEPT:
                self._instants.clear()
            text = self._instants[ms] = rfc3339(from_epoch_ms(ms))
        return text


def _effective(copy: dict[str, Any]) -> str:
    """As exact as the receiver may know it: a day, or a month."""
    category = copy.get("category")
    if not category:
        return ""
    day = category.get("effective_from")
    return civil(day) if day is not None else category.get("effective_from_month") or ""
