"""Canaries: a value in every field of every group that can be found again wherever it goes."""

from __future__ import annotations

from typing import Any

from hub.contracts.catalogues import Catalogue
from hub.contracts.events import Groups

UID = bytes.fromhex("a1" * 16)
MEMBER = bytes.fromhex("b2" * 16)
HOUSEHOLD = "H-CANARY"
DIED = 20_171
"""2025-03-24: a day that stands in no other field."""
CODE = "320682103"


def everything(place: Catalogue) -> Groups:
    """Every raw field of every group; text fields tell where they come from."""
    groups: Groups = {}
    for name, group in place.groups.items():
        groups[name] = {
            field.name: _value(place, name, field.name, field.type)
            for field in group.fields.values()
            if not field.derived
        }
    groups["area"] = {"residence_area": CODE, "hukou_area": f"{CODE}205"}
    groups["diagnosis"]["icd_code"] = "C34.1"
    groups["life"]["died_on"] = DIED
    groups["category"] |= {"effective_from": 20_100, "effective_to": 21_000}
    return groups


def _value(place: Catalogue, group: str, field: str, kind: str) -> Any:
    head, _, name = kind.partition(":")
    if head == "enum":
        return place.vocabulary.enums[name][-1]
    if name == "Member":
        return [
            {
                "ref": MEMBER.hex(),
                "relation": "canary-relation",
                "age_band": "canary-age",
                "valid_from": 1,
                "valid_to": None,
                "name": "canary-member-name",
                "id_number": "canary-member-number",
            }
        ]
    if head == "list":
        return [dict.fromkeys(place.vocabulary.records[name].fields, 7)]
    plain: dict[str, Any] = {"bool": True, "int": 7, "date": 19_000, "instant": 7, "money": 7_00}
    if head == "strings":
        return [f"canary-{group}-{field}"]
    return plain.get(head, f"canary-{group}-{field}")


def paths(copy: dict[str, Any]) -> set[str]:
    """Paths of the group fields a decoded copy holds."""
    outside = {"envelope", "person_ref", "household_ref"}
    return {
        f"{name}.{field}" for name, group in copy.items() if name not in outside for field in group
    }
