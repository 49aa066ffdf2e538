"""Records as the departments write them, in their own words and codes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tests.faults.loads.people import Family, Person

Record = dict[str, Any]
HOSPITAL = "H32068200001"
AREA = "320682001"


def grant(family: Family, on: date, *, number: str, amount: str = "680.00") -> Record:
    """Civil affairs grants a family the living allowance; the meter is named in the record."""
    members = [
        {
            "idCard": person.id_number,
            "name": person.name,
            "relation": relation,
            "joinDate": on.isoformat(),
        }
        for person, relation in zip(family.people, _relations(family), strict=True)
    ]
    return {
        "recordNo": number,
        "action": "GRANT",
        "category": "DIBAO",
        "effectiveDate": on.isoformat(),
        "familyNo": family.number,
        "person": {"idCard": family.head.id_number, "name": family.head.name},
        "scope": "HOUSEHOLD",
        "members": members,
        "meterAccount": family.meter,
        "amount": amount,
        "area": AREA,
    }


def _relations(family: Family) -> list[str]:
    return ["head", "spouse", *["child"] * len(family.others)]


def end(family: Family, on: date, *, number: str, decision: str) -> Record:
    """Civil affairs ends a category by a decision."""
    return {
        "recordNo": number,
        "action": "END",
        "category": "DIBAO",
        "effectiveDate": on.isoformat(),
        "familyNo": family.number,
        "person": {"idCard": family.head.id_number, "name": family.head.name},
        "scope": "HOUSEHOLD",
        "decisionNo": decision,
        "area": AREA,
    }


def decision(family: Family, on: date, *, number: str) -> Record:
    """A named person with power decides the end."""
    return {
        "decisionNo": number,
        "power": "approve",
        "staffNo": "MZ-0017",
        "unit": "320682-civil-affairs",
        "kind": "end",
        "outcome": "ended",
        "decidedAt": f"{on.isoformat()}T00:10:00+08:00",
        "reason": "经审批决定",
        "familyNo": family.number,
        "person": {"idCard": family.head.id_number, "name": family.head.name},
    }


def encounter(person: Person, infno: str, at: datetime, *, stay: str, msgid: str = "") -> Record:
    """A hospital's interface message.

    Args:
        person: The patient.
        infno: ``2401`` admitted, ``2402`` discharged, ``2404`` admission cancelled, ``2405``
            discharge cancelled.
        at: When.
        stay: Number of the stay.
        msgid: Number of the message; the stay's own if not given.
    """
    when = f"{at:%Y-%m-%d %H:%M:%S}"
    admitted = {
        "mdtrt_id": stay,
        "psn_no": f"P{stay}",
        "begntime": when,
        "med_type": "21",
        "insutype": "390",
        "dscg_maindiag_code": "I63.900",
        "adm_diag_dscr": "脑梗死",
    }
    parts: dict[str, Record] = {
        "2401": {"mdtrtinfo": admitted},
        "2402": {"dscginfo": {"mdtrt_id": stay, "endtime": when, "dscg_way": "1"}},
        "2404": {"data": {"mdtrt_id": stay}},
        "2405": {"data": {"mdtrt_id": stay}},
    }
    return {
        "infno": infno,
        "msgid": msgid or f"{HOSPITAL}{infno}{stay}",
        "fixmedins_code": HOSPITAL,
        "fixmedins_name": "如皋市人民医院",
        "mdtrtarea_admvs": "320682",
        "insuplc_admdvs": "320682",
        "inf_time": when,
        "certno": person.id_number,
        "psn_name": person.name,
        "input": parts[infno],
    }


def settlement(person: Person, on: date, *, number: str) -> Record:
    """A bill in medical insurance's table; amounts in yuan."""
    return {
        "结算编号": number,
        "费用日期": on.isoformat(),
        "结算类别": "2",
        "总费用": "18600.00",
        "基金支付": "12400.00",
        "个人自付": "6200.00",
        "记录状态": "1",
        "版本号": "1",
        "姓名": person.name,
        "证件号码": person.id_number,
        "就诊编号": f"J{number}",
        "定点机构": "如皋市人民医院",
        "险种": "390",
    }


def employment(person: Person, on: date, *, number: str, kind: str = "2") -> Record:
    """A row of 就业失业登记: ``1`` a job began, ``2`` somebody registers as unemployed."""
    told = {"失业原因": "单位裁员"} if kind == "2" else {"单位类型": "企业"}
    return {
        "登记编号": number,
        "业务类别": kind,
        "发生日期": on.isoformat(),
        "记录状态": "1",
        "版本号": "1",
        "姓名": person.name,
        "证件号码": person.id_number,
        **told,
    }


def insured(person: Person, on: date, *, number: str) -> Record:
    """Somebody's insurance as a worker begins, in 社保状态变更表."""
    return {
        "变更编号": number,
        "参保状态": "1",
        "变更日期": on.isoformat(),
        "版本号": "1",
        "姓名": person.name,
        "证件号码": person.id_number,
    }


def list_row(person: Person, on: date, *, list_ref: str, row: int, rows: int) -> Record:
    """One row of a relapse list."""
    return {
        "名单编号": list_ref,
        "序号": str(row),
        "总行数": str(rows),
        "名单类别": "返贫",
        "姓名": person.name,
        "证件号码": person.id_number,
        "认定日期": on.isoformat(),
        "家庭编号": "",
    }


def police_death(person: Person, died: date, *, number: str, version: str = "1") -> Record:
    """The police cancel a registration by death (``A``), or take that back."""
    return {
        "zxbh": number,
        "gmsfhm": person.id_number,
        "xm": person.name,
        "swrq": died.isoformat(),
        "zxrq": f"{died.isoformat()}T16:00:00+08:00",
        "czbs": "A" if version == "1" else "D",
        "bbh": version,
        "hjqh": "320682",
    }
