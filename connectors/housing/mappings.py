"""危房鉴定表: assessments of houses and allocations of public housing."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field

from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Observation, Original

LIFECYCLES = {"1": "created", "2": "corrected", "3": "annulled"}
"""记录状态: 1 有效, 2 更正, 3 撤销."""
EVENTS = {"1": "housing.danger_assessed", "2": "housing.allocated"}
"""业务类别: 1 危房鉴定, 2 住房保障配租."""
GRADES = {f"{grade}{word}": grade for grade in "ABCD" for word in ("", "级")}


class Assessment(msgspec.Struct, gc=False):
    """One row of 危房鉴定表."""

    number: str = field(name="鉴定编号")
    kind: str = field(name="业务类别")
    house: str = field(name="房屋编号")
    on: str = field(name="鉴定日期")
    state: str = field(name="记录状态")
    version: int | str = field(name="版本号")
    person: str | None = field(name="户主姓名", default=None)
    id_number: str | None = field(name="户主证件号码", default=None)
    household: str | None = field(name="救助家庭编号", default=None)
    grade: str | None = field(name="危险等级", default=None)
    tenure: str | None = field(name="产权性质", default=None)
    allocation: str | None = field(name="保障方式", default=None)


def assessment(raw: Assessment) -> Observation:
    """A house was assessed, or public housing was allocated; no owner is no error."""
    event = m.code(raw.kind, EVENTS, "业务类别")
    on = m.day(raw.on, "鉴定日期")
    house: dict[str, Any] = {"house_ref": m.text(raw.house, "房屋编号"), "tenure": raw.tenure}
    if event == "housing.danger_assessed":
        house |= {"danger_grade": m.code(raw.grade, GRADES, "危险等级"), "assessed_on": on}
    else:
        house |= {"allocation_kind": m.text(raw.allocation, "保障方式"), "allocated_on": on}
    lifecycle = m.code(raw.state, LIFECYCLES, "记录状态")
    return Observation(
        type=event,
        record_key=raw.number,
        version=m.counted(raw.version, "版本号"),
        id_number=m.optional(raw.id_number),
        name=raw.person,
        occurred=midnight(on),
        lifecycle=lifecycle,
        replaces=None if lifecycle == "created" else Original(raw.number, event, m.FIRST),
        household=m.optional(raw.household),
        groups={"house": house},
    )
