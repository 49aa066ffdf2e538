"""Roster files: a CSV file of the people on roll becomes rows of the opening balance."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hub.intake.people import People
from hub.kernel.dates import days
from hub.kernel.errors import ConfigurationError, DataError
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


def read(path: Path, people: People) -> tuple[list[OpeningRow], list[tuple[int, DataError]]]:
    """Rows of a file, and the lines that cannot be used with their reasons.

    Args:
        path: CSV, UTF-8, with a line of heads.
        people: Turns ID numbers into uids.

    Raises:
        ConfigurationError: the file cannot be read, or a required column is missing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The roster file {path} cannot be read: {error}.",
            hint="Give a UTF-8 CSV file.",
            message_zh=f"无法读取名册文件 {path},请使用 UTF-8 的 CSV 文件。",
        ) from error
    lines = csv.DictReader(text.splitlines())
    heads = {head: COLUMNS.get(head.strip(), head.strip()) for head in lines.fieldnames or ()}
    missing = [name for name in REQUIRED if name not in heads.values()]
    if missing:
        raise ConfigurationError(
            f"The roster file lacks the columns {', '.join(missing)}.",
            hint=f"Columns: {', '.join(COLUMNS)}.",
            message_zh=f"名册文件缺少列:{'、'.join(missing)}。",
        )
    rows, failures = [], []
    for number, line in enumerate(lines, 2):
        named = {heads[head]: (value or "").strip() for head, value in line.items() if head}
        try:
            rows.append(_row(named, people))
        except DataError as error:
            failures.append((number, error))
    return rows, failures


def _row(line: dict[str, str], people: People) -> OpeningRow:
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
