"""Quarterly workbooks and single answers of the power company; no person is named."""

from __future__ import annotations

import msgspec
from msgspec import field

from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Observation

FOUND = {"已匹配": True, "未匹配": False, "1": True, "0": False}
APPLIED = {"生效": True, "减免": True, "停止": False, "终止": False}


class Match(msgspec.Struct, gc=False):
    """Answer to one question for the meter of a household."""

    number: str | int = field(name="匹配编号")
    household: str = field(name="家庭编号")
    result: str = field(name="匹配结果")
    on: str = field(name="匹配日期")
    meter: str | int | None = field(name="用电户号", default=None)


class Relief(msgspec.Struct, gc=False):
    """Relief on a meter began or stopped."""

    number: str | int = field(name="业务流水号")
    meter: str | int = field(name="用电户号")
    status: str = field(name="减免状态")
    begun: str = field(name="生效日期")
    household: str | None = field(name="家庭编号", default=None)
    ended: str | None = field(name="终止日期", default=None)


def match(raw: Match) -> Observation:
    """The meter of a household was found, or not."""
    found = m.code(raw.result, FOUND, "匹配结果")
    meter = None if raw.meter is None else str(raw.meter)
    return Observation(
        type="electricity.meter_matched" if found else "electricity.meter_unmatched",
        record_key=str(raw.number),
        occurred=midnight(m.day(raw.on, "匹配日期")),
        household=m.text(raw.household, "家庭编号"),
        groups={"meter": {"meter_account": m.text(meter, "用电户号")}} if found else {},
    )


def relief(raw: Relief) -> Observation:
    """Relief on a meter applies from a day, or stops on a day."""
    applied = m.code(raw.status, APPLIED, "减免状态")
    begun = m.day(raw.begun, "生效日期")
    ended = m.optional_day(raw.ended, "终止日期")
    on = begun if applied else m.day(raw.ended, "终止日期")
    return Observation(
        type="electricity.relief_applied" if applied else "electricity.relief_stopped",
        record_key=str(raw.number),
        occurred=midnight(on),
        household=m.optional(raw.household),
        groups={
            "meter": {
                "meter_account": m.text(str(raw.meter), "用电户号"),
                "relief_from": begun,
                "relief_to": ended,
            }
        },
    )
