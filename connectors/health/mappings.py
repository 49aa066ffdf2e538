"""住院登记表: one row per admission or discharge; state and version in the row."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field

from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Observation, Original

LIFECYCLES = {"1": "created", "2": "corrected", "3": "annulled"}
"""记录状态: 1 新增, 2 更正, 3 撤销."""
LOCAL = {"1": True, "0": False, "是": True, "否": False}
DIED = "5"
"""离院方式 (CV06.00.226) 5 is death; unknown ways of leaving are no reason to refuse."""
SOURCE = "health"


class Admission(msgspec.Struct, gc=False):
    """One row of 住院登记表."""

    number: str = field(name="登记流水号")
    institution: str = field(name="机构代码")
    action: str = field(name="业务类型")
    stay: str = field(name="住院号")
    admitted: str = field(name="入院日期")
    state: str = field(name="记录状态")
    version: int | str = field(name="版本号")
    person: str | None = field(name="姓名", default=None)
    id_number: str | None = field(name="证件号码", default=None)
    hospital: str | None = field(name="机构名称", default=None)
    phone: str | None = field(name="联系电话", default=None)
    address: str | None = field(name="现住址", default=None)
    residence: str | None = field(name="现住区划", default=None)
    hukou: str | None = field(name="户籍区划", default=None)
    discharged: str | None = field(name="出院日期", default=None)
    way: str | None = field(name="离院方式", default=None)
    died: str | None = field(name="死亡日期", default=None)
    icd_code: str | None = field(name="主要诊断编码", default=None)
    icd_text: str | None = field(name="主要诊断名称", default=None)
    local: str | None = field(name="本地住院", default=None)


def admission(raw: Admission) -> tuple[Observation, ...]:
    """业务类型 1 入院, 2 出院; a discharge by death reports the death as well."""
    return m.code(raw.action, _ACTIONS, "业务类型")(raw)


def _admitted(raw: Admission) -> tuple[Observation, ...]:
    on = m.day(raw.admitted, "入院日期")
    groups: dict[str, dict[str, Any]] = {
        "stay": {
            "hospital": raw.hospital,
            "admitted_on": on,
            "local": m.code(raw.local, LOCAL, "本地住院") if raw.local else None,
        }
    }
    return (_observation(raw, "health.hospitalized", on, groups),)


def _discharged(raw: Admission) -> tuple[Observation, ...]:
    on = m.day(raw.discharged, "出院日期")
    stay = {
        "hospital": raw.hospital,
        "admitted_on": m.day(raw.admitted, "入院日期"),
        "discharged_on": on,
    }
    left = _observation(raw, "health.discharged", on, {"stay": stay})
    return (left, *_death(raw, on))


def _death(raw: Admission, discharged: int) -> tuple[Observation, ...]:
    reported = raw.way == DIED or bool(m.optional(raw.died))
    if reported and raw.state != "3":
        on = m.optional_day(raw.died, "死亡日期")
        on = discharged if on is None else on
        life = {"life_status": "died", "died_on": on, "status": "reported", "sources": [SOURCE]}
        return (_observation(raw, "person.died", on, {"life": life}),)
    if raw.state == "1":
        return ()
    # The row does not tell what it said before, so the retraction goes out in any case; it
    # finds nothing to undo where no death was reported.
    return (
        Observation(
            type="person.death_retracted",
            record_key=_key(raw),
            version=m.counted(raw.version, "版本号"),
            id_number=raw.id_number,
            name=raw.person,
            occurred=midnight(discharged),
            lifecycle="annulled",
            replaces=Original(_key(raw), "person.died", m.FIRST),
            correlation=f"{raw.institution}/{raw.stay}",
            groups={"life": {"life_status": "alive", "reason": "住院登记更正"}},
        ),
    )


def _observation(
    raw: Admission, event: str, on: int, groups: dict[str, dict[str, Any]]
) -> Observation:
    lifecycle = m.code(raw.state, LIFECYCLES, "记录状态")
    if raw.icd_code and event != "person.died":
        groups["diagnosis"] = {"icd_code": raw.icd_code, "icd_text": raw.icd_text}
    if raw.phone or raw.address:
        groups["contact"] = {"phone": raw.phone, "residence_address": raw.address}
    if raw.residence or raw.hukou:
        groups["area"] = {"residence_area": raw.residence, "hukou_area": raw.hukou}
    key = _key(raw)
    return Observation(
        type=event,
        record_key=key,
        version=m.counted(raw.version, "版本号"),
        id_number=m.text(raw.id_number, "证件号码"),
        name=raw.person,
        occurred=midnight(on),
        effective=on,
        lifecycle=lifecycle,
        replaces=None if lifecycle == "created" else Original(key, event, m.FIRST),
        correlation=f"{raw.institution}/{raw.stay}",
        groups=groups,
    )


def _key(raw: Admission) -> str:
    return f"{raw.institution}/{raw.number}"


_ACTIONS = {"1": _admitted, "2": _discharged}
