"""火化登记表: one row per cremation certificate."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field

from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Observation, Original

LIFECYCLES = {"正常": "created", "更正": "corrected", "作废": "annulled"}


class Cremation(msgspec.Struct, gc=False):
    """One row of 火化登记表."""

    number: str = field(name="火化证编号")
    state: str = field(name="状态")
    version: int | str = field(name="版本号")
    person: str | None = field(name="逝者姓名", default=None)
    id_number: str | None = field(name="证件号码", default=None)
    died: str | None = field(name="死亡日期", default=None)
    cremated: str | None = field(name="火化时间", default=None)
    remark: str | None = field(name="备注", default=None)


def cremation(raw: Cremation) -> Observation:
    """A cremation reports a death; 作废 takes the report back."""
    lifecycle = m.code(raw.state, LIFECYCLES, "状态")
    gone = lifecycle == "annulled"
    on = m.day(raw.died, "死亡日期")
    life: dict[str, Any] = {"life_status": "alive", "reason": "火化登记作废"}
    if not gone:
        life = {
            "life_status": "died",
            "died_on": on,
            "status": "reported",
            "sources": ["funeral"],
        }
    return Observation(
        type="person.death_retracted" if gone else "person.died",
        record_key=raw.number,
        version=m.counted(raw.version, "版本号"),
        id_number=m.text(raw.id_number, "证件号码"),
        name=raw.person,
        occurred=midnight(on),
        observed=m.instant(raw.cremated, "火化时间") if raw.cremated else None,
        lifecycle=lifecycle,
        replaces=None if lifecycle == "created" else Original(raw.number, "person.died", m.FIRST),
        groups={"life": life},
    )
