"""就业失业登记表 and 社保状态变更表."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import field

from hub.kernel.errors import DataError
from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Observation, Original

LIFECYCLES = {"1": "created", "2": "corrected", "3": "annulled"}
"""记录状态: 1 有效, 2 更正, 3 撤销."""
KINDS = {
    "1": ("employment.started", "employed"),
    "2": ("employment.lost", "unemployed"),
    "3": ("employment.no_income_month", "no_income"),
}
"""业务类别: 1 就业登记, 2 失业登记, 3 当月无收入."""
_MONTH = re.compile(r"([0-9]{4})[-年]?(0[1-9]|1[0-2])月?")


class Employment(msgspec.Struct, gc=False):
    """One row of 就业失业登记表."""

    number: str = field(name="登记编号")
    kind: str = field(name="业务类别")
    on: str = field(name="发生日期")
    state: str = field(name="记录状态")
    version: int | str = field(name="版本号")
    person: str | None = field(name="姓名", default=None)
    id_number: str | None = field(name="证件号码", default=None)
    employer: str | None = field(name="单位类型", default=None)
    reason: str | None = field(name="失业原因", default=None)
    month: str | None = field(name="无收入月份", default=None)
    months: int | None = field(name="连续无收入月数", default=None)


class Insurance(msgspec.Struct, gc=False):
    """One row of 社保状态变更表."""

    number: str = field(name="变更编号")
    status: str = field(name="参保状态")
    on: str = field(name="变更日期")
    version: int | str = field(name="版本号")
    person: str | None = field(name="姓名", default=None)
    id_number: str | None = field(name="证件号码", default=None)


def employment(raw: Employment) -> Observation:
    """A job began or ended, or a month went by without income."""
    event, status = m.code(raw.kind, KINDS, "业务类别")
    on = m.day(raw.on, "发生日期")
    job: dict[str, Any] = {"status": status, "since": on}
    if event == "employment.no_income_month":
        job |= {"month": _month(raw.month), "no_income_months": raw.months}
    elif event == "employment.lost":
        job["reason"] = m.optional(raw.reason)
    else:
        job["employer_kind"] = m.optional(raw.employer)
    lifecycle = m.code(raw.state, LIFECYCLES, "记录状态")
    return Observation(
        type=event,
        record_key=raw.number,
        version=m.counted(raw.version, "版本号"),
        id_number=m.text(raw.id_number, "证件号码"),
        name=raw.person,
        occurred=midnight(on),
        lifecycle=lifecycle,
        replaces=None if lifecycle == "created" else Original(raw.number, event, m.FIRST),
        groups={"job": job},
    )


def insurance(raw: Insurance) -> Observation:
    """参保状态 1 参保, 0 停保, as a worker."""
    on = m.day(raw.on, "变更日期")
    insured = m.code(raw.status, {"1": True, "0": False}, "参保状态")
    return Observation(
        type="social_insurance.changed",
        record_key=raw.number,
        version=m.counted(raw.version, "版本号"),
        id_number=m.text(raw.id_number, "证件号码"),
        name=raw.person,
        occurred=midnight(on),
        groups={"job": {"insured": insured, "since": on}},
    )


def _month(text: str | None) -> str:
    found = _MONTH.fullmatch(m.text(text, "无收入月份"))
    if not found:
        raise DataError("E-DATE", "无收入月份")
    return f"{found[1]}-{found[2]}"
