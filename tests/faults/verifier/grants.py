"""Grants: which fields a copy may hold, by the published grants; which it must hold, by hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

_RELEASES = {"accept": "referral.details_released", "match": "electricity.match_requested"}
"""Condition → the only type of copy in which it is met here."""
_NEVER = {"consent", "auth"}
"""Conditions that no fact of a load meets."""
_PERSON = frozenset({"id.name", "id.id_number"})
_TERMS = frozenset({"category.category", "category.effective_from"})

MUST: dict[tuple[str, str], frozenset[str]] = {
    ("medical-aid", "referral.created"): _PERSON | _TERMS | {"category.scope"},
    ("medical-aid", "referral.stop_notified"): _PERSON | _TERMS | {"category.effective_to"},
    ("medical-aid", "health.hospitalized"): _PERSON | {"stay.hospital", "stay.admitted_on"},
    ("medical-aid", "health.discharged"): _PERSON | {"stay.hospital", "stay.discharged_on"},
    ("medical-aid", "medical.expense_recorded"): _PERSON
    | {
        "medcost.expense_date",
        "medcost.total",
        "medcost.insurance_paid",
        "medcost.remainder",
    },
    ("instant-settlement", "category.granted"): _PERSON | _TERMS,
    ("instant-settlement", "health.hospitalized"): _PERSON | {"flags.settlement_flag"},
    ("electricity-relief", "referral.created"): frozenset(
        {"category.category", "category.effective_from_month", "meter.meter_account"}
    ),
    ("electricity-relief", "referral.stop_notified"): frozenset(
        {"category.category", "category.effective_to_month", "meter.meter_account"}
    ),
    ("employment-aid", "referral.created"): _PERSON | {"job.status", "job.since"},
    ("medical-insurance", "roster.delta"): _PERSON | _TERMS,
    ("power-supply", "roster.delta"): frozenset({"category.category", "meter.meter_account"}),
}
"""Program and type → fields that are granted and that the facts of a load do name."""


class Grants:
    """What each receiver may see.

    Args:
        folder: With ``grants.yaml``.
    """

    def __init__(self, folder: Path) -> None:
        listed = yaml.safe_load((folder / "grants.yaml").read_text(encoding="utf-8"))
        self._everyone = listed.get("everyone") or {}
        self._receivers = listed["receivers"]
        self.granted = cache(self._granted)

    def _granted(self, program: str, copy_type: str) -> frozenset[str]:
        """Fields a copy of a type may hold."""
        found = set()
        fields = {**self._everyone, **self._receivers[program]["fields"]}
        for group, names in fields.items():
            for name in names:
                field, _, condition = str(name).partition("@")
                if condition == "month":
                    found.add(f"{group}.{field}_month")
                elif condition in _NEVER:
                    continue
                elif condition not in _RELEASES or _RELEASES[condition] == copy_type:
                    found.add(f"{group}.{field}")
        return frozenset(found)

    def groups(self, program: str) -> frozenset[str]:
        """Groups that hold granted fields; other parts of a copy are bodies of the hub's own."""
        return frozenset({*self._everyone, *self._receivers[program]["fields"]})
