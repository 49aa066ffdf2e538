"""Population register interface: field names are the initials of the Chinese terms."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.kernel.errors import DataError
from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Member, Observation, Original

LIFECYCLES = {"A": "created", "U": "corrected", "D": "annulled"}
"""czbs 操作标识: A 新增, U 更正, D 撤销."""
CHANGES = {"1": "joined", "2": "left", "3": "born", "4": "split", "5": "merged"}
"""bdlx 变动类型: 1 迁入, 2 迁出, 3 出生, 4 分户, 5 并户; 6 is a change of residence."""
RESIDENCE = "6"
RELATIONS = {"0": "head", "1": "spouse", "2": "child", "3": "child", "4": "grandchild"}
RELATIONS |= {"5": "parent", "6": "grandparent", "7": "sibling", "8": "other", "9": "other"}
"""yhzgx 与户主关系: the first digit of the two-digit code (10 配偶, 20 子, 30 女 …)."""


class Death(msgspec.Struct, gc=False):
    """死亡注销: zxbh 注销编号, gmsfhm 公民身份号码, swrq 死亡日期, zxrq 注销日期."""

    zxbh: str
    gmsfhm: str
    czbs: str
    bbh: int | str
    xm: str | None = None
    swrq: str | None = None
    zxrq: str | None = None
    hjqh: str | None = None
    czsm: str | None = None


class Person(msgspec.Struct, gc=False):
    """Household member: yhzgx 与户主关系, jrrq 加入日期, lkrq 离开日期."""

    gmsfhm: str
    xm: str | None = None
    yhzgx: str | None = None
    jrrq: str | None = None
    lkrq: str | None = None


class Change(msgspec.Struct, gc=False):
    """户籍变动: bdbh 变动编号, hh 户号, bdlx 变动类型, bdrq 变动日期, cy 成员."""

    bdbh: str
    gmsfhm: str
    bdlx: str
    bdrq: str
    czbs: str
    bbh: int | str
    xm: str | None = None
    hh: str | None = None
    cy: list[Person] = []
    yjzqh: str | None = None
    xjzqh: str | None = None


def death(raw: Death) -> Observation:
    """A registration cancelled by death; D takes it back."""
    lifecycle = m.code(raw.czbs, LIFECYCLES, "czbs")
    version = m.counted(raw.bbh, "bbh")
    observed = m.instant(raw.zxrq, "zxrq") if raw.zxrq else None
    original = Original(raw.zxbh, "person.died", m.FIRST)
    if lifecycle == "annulled":
        return Observation(
            type="person.death_retracted",
            record_key=raw.zxbh,
            version=version,
            id_number=raw.gmsfhm,
            name=raw.xm,
            occurred=m.instant(raw.zxrq or raw.swrq, "zxrq"),
            lifecycle=lifecycle,
            replaces=original,
            groups={"life": {"life_status": "alive", "reason": m.optional(raw.czsm)}},
        )
    on = m.day(raw.swrq, "swrq")
    groups: dict[str, dict[str, Any]] = {
        "life": {
            "life_status": "died",
            "died_on": on,
            "status": "reported",
            "sources": ["police"],
        }
    }
    if raw.hjqh:
        groups["area"] = {"hukou_area": raw.hjqh}
    return Observation(
        type="person.died",
        record_key=raw.zxbh,
        version=version,
        id_number=raw.gmsfhm,
        name=raw.xm,
        occurred=midnight(on),
        observed=observed,
        lifecycle=lifecycle,
        replaces=None if lifecycle == "created" else original,
        groups=groups,
    )


def change(raw: Change) -> Observation:
    """A change of the register's household, or of residence.

    The register's household is an attribute of the fact: households of assistance are issued
    by civil affairs.
    """
    if raw.bdlx == RESIDENCE:
        return _observation(raw, "residence.changed", {"move": _move(raw)}, ())
    household = {"change": m.code(raw.bdlx, CHANGES, "bdlx"), "size": _size(raw)}
    return _observation(
        raw, "household.changed", {"household": household}, tuple(map(_member, raw.cy))
    )


def _observation(
    raw: Change, event: str, groups: dict[str, dict[str, Any]], members: tuple[Member, ...]
) -> Observation:
    lifecycle = m.code(raw.czbs, LIFECYCLES, "czbs")
    on = m.day(raw.bdrq, "bdrq")
    return Observation(
        type=event,
        record_key=raw.bdbh,
        version=m.counted(raw.bbh, "bbh"),
        id_number=raw.gmsfhm,
        name=raw.xm,
        occurred=midnight(on),
        lifecycle=lifecycle,
        replaces=None if lifecycle == "created" else Original(raw.bdbh, event, m.FIRST),
        correlation=raw.hh or "",
        groups=groups,
        members=members,
    )


def _move(raw: Change) -> dict[str, Any]:
    if not raw.xjzqh:
        raise DataError("E-FIELD-MISSING", "xjzqh")
    return {"from_area": raw.yjzqh, "to_area": raw.xjzqh}


def _size(raw: Change) -> int:
    return sum(1 for person in raw.cy if not person.lkrq)


def _member(person: Person) -> Member:
    return Member(
        id_number=person.gmsfhm,
        name=person.xm,
        relation=m.code(person.yhzgx[:1], RELATIONS, "cy.yhzgx") if person.yhzgx else None,
        valid_from=m.optional_day(person.jrrq, "cy.jrrq"),
        valid_to=m.optional_day(person.lkrq, "cy.lkrq"),
    )
