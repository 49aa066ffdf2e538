"""费用结算表 and 参保登记表: rows with state and version."""

from __future__ import annotations

import msgspec
from msgspec import field

from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Observation, Original

LIFECYCLES = {"1": "created", "2": "corrected", "3": "annulled"}
"""记录状态: 1 有效, 2 更正, 3 撤销."""
KINDS = {"1": "interim", "2": "settled"}
"""结算类别: 1 中间结算, 2 出院结算."""
SCHEMES = {"310": "employee", "390": "resident"}
"""险种: 310 职工, 390 城乡居民."""


class Settlement(msgspec.Struct, gc=False):
    """One row of 费用结算表; amounts are text in yuan."""

    number: str = field(name="结算编号")
    on: str = field(name="费用日期")
    kind: str = field(name="结算类别")
    total: str = field(name="总费用")
    paid: str = field(name="基金支付")
    own: str = field(name="个人自付")
    state: str = field(name="记录状态")
    version: int | str = field(name="版本号")
    person: str | None = field(name="姓名", default=None)
    id_number: str | None = field(name="证件号码", default=None)
    stay: str | None = field(name="就诊编号", default=None)
    hospital: str | None = field(name="定点机构", default=None)
    scheme: str | None = field(name="险种", default=None)
    icd_code: str | None = field(name="诊断编码", default=None)


class Enrolment(msgspec.Struct, gc=False):
    """One row of 参保登记表."""

    number: str = field(name="参保登记号")
    scheme: str = field(name="险种")
    status: str = field(name="参保状态")
    version: int | str = field(name="版本号")
    person: str | None = field(name="姓名", default=None)
    id_number: str | None = field(name="证件号码", default=None)
    begun: str | None = field(name="参保日期", default=None)
    ended: str | None = field(name="停保日期", default=None)


def settlement(raw: Settlement) -> Observation:
    """A bill or a part of one."""
    on = m.day(raw.on, "费用日期")
    own = m.money(raw.own, "个人自付")
    cost = {
        "expense_date": on,
        "kind": m.code(raw.kind, KINDS, "结算类别"),
        "total": m.money(raw.total, "总费用"),
        "insurance_paid": m.money(raw.paid, "基金支付"),
        "self_paid": own,
        "remainder": own,
        "settlement_id": raw.number,
    }
    groups = {"medcost": cost}
    if raw.hospital:
        groups["stay"] = {"hospital": raw.hospital}
    if raw.icd_code:
        groups["diagnosis"] = {"icd_code": raw.icd_code}
    if raw.scheme:
        groups["insurance"] = {"scheme": m.code(raw.scheme, SCHEMES, "险种")}
    lifecycle = m.code(raw.state, LIFECYCLES, "记录状态")
    event = "medical.expense_recorded"
    return Observation(
        type=event,
        record_key=raw.number,
        version=m.counted(raw.version, "版本号"),
        id_number=m.text(raw.id_number, "证件号码"),
        name=raw.person,
        occurred=midnight(on),
        effective=on,
        lifecycle=lifecycle,
        replaces=None if lifecycle == "created" else Original(raw.number, event, m.FIRST),
        correlation=raw.stay or "",
        groups=groups,
    )


def enrolment(raw: Enrolment) -> Observation:
    """参保状态 1 参保, 2 停保: the insurance begins or stops."""
    enrolled = m.code(raw.status, {"1": True, "2": False}, "参保状态")
    begun = m.optional_day(raw.begun, "参保日期")
    ended = m.optional_day(raw.ended, "停保日期")
    on = m.day(raw.begun, "参保日期") if enrolled else m.day(raw.ended, "停保日期")
    return Observation(
        type="insurance.enrolled" if enrolled else "insurance.lapsed",
        record_key=raw.number,
        version=m.counted(raw.version, "版本号"),
        id_number=m.text(raw.id_number, "证件号码"),
        name=raw.person,
        occurred=midnight(on),
        effective=on,
        groups={
            "insurance": {
                "scheme": m.code(raw.scheme, SCHEMES, "险种"),
                "valid_from": begun,
                "valid_to": None if enrolled else ended,
            }
        },
    )
