"""Roster rows: a line of a roster file becomes a row of the opening balance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.intake.people import People
from hub.kernel.dates import days
from hub.kernel.errors import DataError
from hub.model.openings import OpeningRow
from hub.sdk.mappings import category

COLUMNS = {
    "家庭编号": "household",
    "证件号码": "id_number",
    "姓名": "name",
    "与户主关系": "relation",
    "救助类别": "category",
    "子类": "subtype",
    "保障范围": "scope",
    "生效日期": "effective_from",
    "照护等级": "care_level",
    "学籍号": "student_no",
    "学校": "school",
    "学段": "stage",
    "电力户号": "meter",
    "电话": "phone",
    "居住地址": "residence_address",
    "居住地区划": "residence_area",
    "决定编号": "decision_id",
}
"""Head in the file → name; the names themselves are understood as heads as well."""
REQUIRED = ("household", "id_number", "category", "effective_from")
CARE_LEVELS = {"全自理": "FULL_SELF_CARE", "半自理": "HALF_SELF_CARE", "全护理": "FULL_CARE"}
SCOPES = {"": "household", "家庭": "household", "单人保": "single_person"}
LATEST = "99991231"


def row_of(line: dict[str, str], people: People) -> OpeningRow:
    """One line as a row.

    Args:
        line: Name of the column → text.
        people: Turns ID numbers into uids.

    Raises:
        DataError: the line cannot be used; its field is named.
    """
    for name in REQUIRED:
        if not line[name]:
            raise DataError("E-FIELD-MISSING", name)
    uid, identity = people.person(line["id_number"], line.get("name") or None, LATEST)
    contact = _known(line, ("phone", "residence_address"))
    area = _known(line, ("residence_area",))
    school = _known(line, ("student_no", "school", "stage"))
    scope = line.get("scope", "")
    if SCOPES.get(scope, scope) not in SCOPES.values():
        raise DataError("E-CODE-UNKNOWN", "scope")
    return OpeningRow(
        household=line["household"],
        uid=uid,
        category=category(line["category"], "category"),
        effective_from=days(line["effective_from"]),
        identity={
            "id": identity,
            **({"contact": contact} if contact else {}),
            **({"area": area} if area else {}),
        },
        relation=line.get("relation") or None,
        subtype=line.get("subtype") or None,
        scope=SCOPES.get(scope, scope),
        care_level=_care(line.get("care_level", "")),
        school=school,
        meters=tuple(_split(line.get("meter", ""))),
        decision_id=line.get("decision_id") or None,
    )


def _known(line: dict[str, str], names: Iterable[str]) -> dict[str, Any]:
    return {name: line[name] for name in names if line.get(name)}


def _care(text: str) -> str | None:
    level = CARE_LEVELS.get(text, text)
    if level and level not in CARE_LEVELS.values():
        raise DataError("E-CODE-UNKNOWN", "care_level")
    return level or None


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.replace("、", ";").split(";") if part.strip()]
