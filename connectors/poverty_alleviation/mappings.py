"""返贫与兜底名单: list number, row number and number of rows stand in columns.

The name of a file and its digest are no part of any key, so the same list under another file
name is the same list.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field

from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Observation

KINDS = {
    "返贫": "poverty.relapsed",
    "返贫人口": "poverty.relapsed",
    "兜底": "poverty.backstop_needed",
    "需兜底": "poverty.backstop_needed",
    "兜底脱贫": "poverty.backstop_needed",
}


class Row(msgspec.Struct, gc=False):
    """One row of a list; a workbook may give numbers where CSV gives text."""

    list_ref: str | int = field(name="名单编号")
    row_no: str | int = field(name="序号")
    total: str | int = field(name="总行数")
    kind: str = field(name="名单类别")
    on: str = field(name="认定日期")
    person: str | None = field(name="姓名", default=None)
    id_number: str | None = field(name="证件号码", default=None)
    household: str | None = field(name="家庭编号", default=None)
    town: str | int | None = field(name="所在乡镇", default=None)
    phone: str | int | None = field(name="联系电话", default=None)
    need: str | None = field(name="困难类型", default=None)


def row(raw: Row) -> Observation:
    """One person of the list; the version is a digest of the row, added by the hub."""
    list_ref = m.text(str(raw.list_ref), "名单编号")
    row_no = m.whole(raw.row_no, "序号")
    on = m.day(raw.on, "认定日期")
    total = m.whole(raw.total, "总行数")
    groups: dict[str, dict[str, Any]] = {
        "list": {"list_ref": list_ref, "row_no": row_no, "rows_total": total}
    }
    if m.optional(raw.need):
        groups["need"] = {"need_kind": raw.need, "channel": "poverty-alleviation"}
    if raw.phone:
        groups["contact"] = {"phone": str(raw.phone)}
    if raw.town:
        groups["area"] = {"residence_area": str(raw.town)}
    return Observation(
        type=m.code(raw.kind, KINDS, "名单类别"),
        record_key=f"{list_ref}/{row_no}",
        id_number=m.text(raw.id_number, "证件号码"),
        name=raw.person,
        occurred=midnight(on),
        household=m.optional(raw.household),
        groups=groups,
    )
