"""Records as the departments write them: one function per kind, in their own words and codes.

Each returns the fields of one row, message or form; dates are ``2025-04-01``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from hub.embedded.city.households import Household, Member
from hub.embedded.city.people import Person

Record = dict[str, Any]
HOSPITAL = "H32068200001"
"""Code of the county hospital in the interface of medical insurance."""
HOSPITAL_NAME = "如皋市人民医院"


def family_members(household: Household, since: date) -> list[Record]:
    """Members as civil affairs lists them."""
    return [
        {
            "idCard": member.person.id_number,
            "name": member.person.name,
            "relation": member.relation,
            "joinDate": since.isoformat(),
        }
        for member in household.members
    ]


def registration(household: Household, on: date, *, version: int = 1) -> Record:
    """Civil affairs registers a family with its meter, house and address."""
    return {
        "registrationNo": f"R-{household.id}",
        "familyNo": household.id,
        "changeType": "REGISTERED",
        "changeDate": on.isoformat(),
        "version": version,
        "members": family_members(household, on),
        "meterAccount": household.meter,
        "houseNo": household.house,
        "address": household.address,
        "phone": household.head.phone,
        "area": household.area,
    }


def category(
    household: Household,
    action: str,
    on: date,
    *,
    number: str,
    kind: str | None = None,
    decision: str | None = None,
    **more: Any,
) -> Record:
    """Civil affairs grants, changes, suspends, resumes or ends a category.

    Args:
        household: Whose.
        action: ``GRANT``, ``CHANGE``, ``SUSPEND``, ``RESUME`` or ``END``.
        on: Effective date.
        number: The record's number at civil affairs.
        kind: Category; the household's own if not given.
        decision: Number of the decision.
        more: Further fields as they stand in the message, e.g. ``careLevel``.
    """
    head = household.head
    return {
        "recordNo": number,
        "action": action,
        "category": kind or household.category or "DIBAO",
        "effectiveDate": on.isoformat(),
        "familyNo": household.id,
        "person": {"idCard": head.id_number, "name": head.name},
        "scope": "HOUSEHOLD",
        "members": family_members(household, on) if action == "GRANT" else [],
        "area": household.area,
        **({"decisionNo": decision} if decision else {}),
        **more,
    }


def decision(
    household: Household, number: str, on: date, *, kind: str, outcome: str, **more: Any
) -> Record:
    """Civil affairs records what a named person decided."""
    head = household.head
    return {
        "decisionNo": number,
        "power": "approve",
        "staffNo": "MZ-0017",
        "unit": "320682-civil-affairs",
        "kind": kind,
        "outcome": outcome,
        "decidedAt": f"{on.isoformat()}T10:00:00+08:00",
        "reason": "经审批决定",
        "familyNo": household.id,
        "person": {"idCard": head.id_number, "name": head.name},
        **more,
    }


def list_rows(list_ref: str, on: date, entries: Iterable[tuple[str, Person, str]]) -> list[Record]:
    """A relapse and backstop list.

    Args:
        list_ref: Number of the list.
        on: Date of recognition.
        entries: ``(返贫 or 兜底, person, household id or "")``.
    """
    rows = list(entries)
    return [
        {
            "名单编号": list_ref,
            "序号": str(number),
            "总行数": str(len(rows)),
            "名单类别": kind,
            "姓名": person.name,
            "证件号码": person.id_number,
            "认定日期": on.isoformat(),
            "家庭编号": household,
        }
        for number, (kind, person, household) in enumerate(rows, 1)
    ]


def enrolment(pupil: Member, term: str, on: date, *, state: str = "在读") -> Record:
    """One row of the schools' file."""
    stage = {"primary": "小学", "junior": "初中", "senior": "高中"}[pupil.stage]
    return {
        "学校标识码": "3232000123",
        "学校名称": pupil.school,
        "学段": stage,
        "学年学期": term,
        "学籍辅号": pupil.student_no,
        "就读状态": state,
        "状态日期": on.isoformat(),
        "姓名": pupil.person.name,
        "身份证件号": pupil.person.id_number,
    }


def assessment(
    household: Household, grade: str, on: date, *, number: str, version: int = 1
) -> Record:
    """One row of the housing bureau's table of assessed houses."""
    return {
        "鉴定编号": number,
        "业务类别": "1",
        "房屋编号": household.house,
        "鉴定日期": on.isoformat(),
        "记录状态": "1" if version == 1 else "2",
        "版本号": str(version),
        "户主姓名": household.head.name,
        "户主证件号码": household.head.id_number,
        "救助家庭编号": household.id,
        "危险等级": f"{grade}级",
        "产权性质": "自有",
    }


def employment(person: Person, kind: str, on: date, *, number: str) -> Record:
    """One row of 就业失业登记表; ``kind`` is ``1`` started or ``2`` lost."""
    return {
        "登记编号": number,
        "业务类别": kind,
        "发生日期": on.isoformat(),
        "记录状态": "1",
        "版本号": "1",
        "姓名": person.name,
        "证件号码": person.id_number,
        **({"失业原因": "单位裁员"} if kind == "2" else {"单位类型": "企业"}),
    }


def admission(person: Person, on: date, *, stay: str, infno: str = "2401") -> Record:
    """A hospital's interface message: 2401 admission, 2404 admission cancelled."""
    content: Record = {
        "2401": {
            "mdtrtinfo": {
                "mdtrt_id": stay,
                "psn_no": f"P{stay}",
                "begntime": f"{on.isoformat()} 08:30:00",
                "med_type": "21",
                "insutype": "390",
                "dscg_maindiag_code": "I63.900",
                "adm_diag_dscr": "脑梗死",
            }
        },
        "2404": {"data": {"mdtrt_id": stay, "psn_no": f"P{stay}"}},
    }[infno]
    return {
        "infno": infno,
        "msgid": f"{HOSPITAL}{infno}{stay}",
        "fixmedins_code": HOSPITAL,
        "fixmedins_name": HOSPITAL_NAME,
        "mdtrtarea_admvs": "320682",
        "insuplc_admdvs": "320682",
        "inf_time": f"{on.isoformat()} 09:00:00",
        "certno": person.id_number,
        "psn_name": person.name,
        "input": content,
    }


def register_admission(person: Person, on: date, *, number: str, state: str = "1") -> Record:
    """One row of the health commission's table of admissions."""
    return {
        "机构代码": HOSPITAL,
        "登记流水号": number,
        "业务类型": "1",
        "住院号": f"Z{number}",
        "入院日期": on.isoformat(),
        "记录状态": state,
        "版本号": state,
        "姓名": person.name,
        "证件号码": person.id_number,
        "机构名称": HOSPITAL_NAME,
        "主要诊断编码": "J18.900",
        "主要诊断名称": "肺炎",
        "本地住院": "1",
    }


def settlement(person: Person, on: date, *, number: str, total: str, paid: str, own: str) -> Record:
    """One row of medical insurance's table of bills; amounts in yuan."""
    return {
        "结算编号": number,
        "费用日期": on.isoformat(),
        "结算类别": "2",
        "总费用": total,
        "基金支付": paid,
        "个人自付": own,
        "记录状态": "1",
        "版本号": "1",
        "姓名": person.name,
        "证件号码": person.id_number,
        "就诊编号": f"J{number}",
        "定点机构": HOSPITAL_NAME,
        "险种": "390",
    }


def police_death(person: Person, died: date, *, number: str) -> Record:
    """The police cancel a registration by death."""
    return {
        "zxbh": number,
        "gmsfhm": person.id_number,
        "xm": person.name,
        "swrq": died.isoformat(),
        "zxrq": f"{died.isoformat()}T16:00:00+08:00",
        "czbs": "A",
        "bbh": "1",
        "hjqh": "320682",
    }


def cremation(person: Person, died: date, *, number: str) -> Record:
    """One row of the funeral home's table."""
    return {
        "火化证编号": number,
        "状态": "正常",
        "版本号": "1",
        "逝者姓名": person.name,
        "证件号码": person.id_number,
        "死亡日期": died.isoformat(),
    }


def meter_match(household: Household, on: date, *, number: str) -> Record:
    """The power company found the meter of a household."""
    return {
        "匹配编号": number,
        "家庭编号": household.id,
        "用电户号": household.meter,
        "匹配结果": "已匹配",
        "匹配日期": on.isoformat(),
    }


def relief(household: Household, on: date, *, number: str) -> Record:
    """The power company's workbook: relief on a meter began."""
    return {
        "业务流水号": number,
        "家庭编号": household.id,
        "用电户号": household.meter,
        "减免状态": "生效",
        "生效日期": on.isoformat(),
        "终止日期": "",
    }


def village_need(household: Household, on: date, *, number: str, need: str, note: str) -> Record:
    """A village official reports a need."""
    head = household.head
    return {
        "report_no": number,
        "kind": "need",
        "village": household.area,
        "on": on.isoformat(),
        "name": head.name,
        "id_number": head.id_number,
        "phone": head.phone,
        "address": household.address,
        "urgency": "urgent",
        "need": need,
        "note": note,
    }
