"""学籍: one row per pupil and term.

The national student number is the letter G and the ID number, so it can be neither a key nor
leave the hub as a number of the school; the auxiliary number (学籍辅号) serves instead.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field

from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Observation

STATES = {
    "在读": "education.enrolled",
    "复学": "education.enrolled",
    "离校": "education.left",
    "毕业": "education.left",
    "退学": "education.left",
    "转出": "education.left",
}
STAGES = {
    "学前": "kindergarten",
    "小学": "primary",
    "初中": "junior",
    "高中": "senior",
    "中职": "vocational",
    "大学": "college",
}


class Enrolment(msgspec.Struct, gc=False):
    """One row of the file."""

    school_code: str | int = field(name="学校标识码")
    school: str = field(name="学校名称")
    stage: str = field(name="学段")
    term: str = field(name="学年学期")
    number: str | int = field(name="学籍辅号")
    state: str = field(name="就读状态")
    on: str = field(name="状态日期")
    person: str | None = field(name="姓名", default=None)
    id_number: str | None = field(name="身份证件号", default=None)
    fee: str | None = field(name="学杂费", default=None)


def enrolment(raw: Enrolment) -> tuple[Observation, ...]:
    """Status of a pupil in a term, and the fee where the row has one."""
    on = m.day(raw.on, "状态日期")
    number = m.text(str(raw.number), "学籍辅号")
    school: dict[str, Any] = {
        "school": m.text(raw.school, "学校名称"),
        "stage": m.code(raw.stage, STAGES, "学段"),
        "student_no": number,
        "term": raw.term,
    }
    state = m.code(raw.state, STATES, "就读状态")
    status = _observation(raw, number, state, on, {"school": school})
    fee = m.optional(raw.fee)
    if fee is None:
        return (status,)
    cost = {"amount": m.money(fee, "学杂费"), "term": raw.term}
    groups = {"school": school, "educost": cost}
    return (status, _observation(raw, number, "education.expense_recorded", on, groups))


def _observation(
    raw: Enrolment, number: str, event: str, on: int, groups: dict[str, dict[str, Any]]
) -> Observation:
    return Observation(
        type=event,
        record_key=f"{raw.school_code}/{raw.term}/{number}",
        id_number=m.text(raw.id_number, "身份证件号"),
        name=raw.person,
        occurred=midnight(on),
        groups=groups,
    )
