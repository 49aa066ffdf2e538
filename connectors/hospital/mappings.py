"""Interface of medical insurance (医保信息平台接口): header with ``infno`` and ``input``.

Each hospital sends what it sent to medical insurance, and in the header ``certno`` and
``psn_name`` of the patient, because most inputs name only the insurance number. The same stay
sent again under a new ``msgid`` is the same fact.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from hub.kernel.amounts import fen_of
from hub.kernel.errors import DataError
from hub.sdk import mappings as m
from hub.sdk.instants import day_of, midnight
from hub.sdk.observations import Observation, Original

ORIGINAL = "0"
"""Version of a fact as first sent; corrections carry their ``inf_time``."""
DIED = "5"
"""dscg_way 5 死亡 (CV06.00.226); other and unknown ways of leaving report no death."""
SCHEMES = {"310": "employee", "390": "resident"}
"""insutype: 310 职工基本医疗保险, 390 城乡居民基本医疗保险."""
ID_CARD = "02"
"""mdtrt_cert_type 02 居民身份证: then mdtrt_cert_no is the ID number."""
Part = TypeVar("Part")


class Stay(msgspec.Struct, gc=False):
    """``mdtrtinfo`` of 2401 and 2403."""

    mdtrt_id: str
    begntime: str
    psn_no: str = ""
    insutype: str | None = None
    mdtrt_cert_type: str | None = None
    mdtrt_cert_no: str | None = None
    med_type: str | None = None
    ipt_no: str | None = None
    adm_diag_dscr: str | None = None
    dscg_maindiag_code: str | None = None


class Discharge(msgspec.Struct, gc=False):
    """``dscginfo`` of 2402."""

    mdtrt_id: str
    endtime: str
    psn_no: str = ""
    dscg_way: str | None = None
    die_date: str | None = None
    dscg_maindiag_code: str | None = None


class Settlement(msgspec.Struct, gc=False):
    """``setlinfo`` of 2304."""

    setl_id: str
    mdtrt_id: str
    setl_time: str
    medfee_sumamt: Decimal
    fund_pay_sumamt: Decimal
    psn_no: str = ""
    insutype: str | None = None


class Undone(msgspec.Struct, gc=False):
    """``data`` of 2404, 2405 and 2305: what is taken back."""

    mdtrt_id: str
    psn_no: str = ""
    setl_id: str | None = None


class Input(msgspec.Struct, gc=False):
    """``input``: one part by ``infno``."""

    mdtrtinfo: Stay | None = None
    dscginfo: Discharge | None = None
    setlinfo: Settlement | None = None
    data: Undone | None = None


class Request(msgspec.Struct, gc=False):
    """One interface message."""

    infno: str
    fixmedins_code: str
    inf_time: str
    input: Input
    msgid: str = ""
    fixmedins_name: str | None = None
    mdtrtarea_admvs: str | None = None
    insuplc_admdvs: str | None = None
    certno: str | None = None
    psn_name: str | None = None


def encounter(raw: Request) -> tuple[Observation, ...]:
    """By ``infno``; queries, fee details and pre-settlements are no facts and give nothing."""
    return m.code(raw.infno, _MESSAGES, "infno")(raw)


def _admitted(raw: Request) -> tuple[Observation, ...]:
    stay = _part(raw.input.mdtrtinfo, "input.mdtrtinfo")
    begun = m.instant(stay.begntime, "input.mdtrtinfo.begntime")
    groups: dict[str, dict[str, Any]] = {
        "stay": {
            "hospital": raw.fixmedins_name or raw.fixmedins_code,
            "admitted_on": day_of(begun),
            "local": _local(raw),
        }
    }
    if stay.dscg_maindiag_code or stay.adm_diag_dscr:
        groups["diagnosis"] = {
            "icd_code": stay.dscg_maindiag_code,
            "icd_text": stay.adm_diag_dscr,
        }
    number = raw.certno or (stay.mdtrt_cert_no if stay.mdtrt_cert_type == ID_CARD else None)
    key, event = _key(raw, stay.mdtrt_id), "health.hospitalized"
    corrected = raw.infno == "2403"
    return (
        Observation(
            type=event,
            record_key=key,
            version=_sent(raw) if corrected else ORIGINAL,
            id_number=m.text(number, "certno"),
            name=raw.psn_name,
            occurred=begun,
            lifecycle="corrected" if corrected else "created",
            replaces=Original(key, event, ORIGINAL) if corrected else None,
            correlation=key,
            groups=groups,
        ),
    )


def _discharged(raw: Request) -> tuple[Observation, ...]:
    left = _part(raw.input.dscginfo, "input.dscginfo")
    ended = m.instant(left.endtime, "input.dscginfo.endtime")
    key = _key(raw, left.mdtrt_id)
    stay = {
        "hospital": raw.fixmedins_name or raw.fixmedins_code,
        "discharged_on": day_of(ended),
        "local": _local(raw),
    }
    fact = Observation(
        type="health.discharged",
        record_key=key,
        version=ORIGINAL,
        id_number=m.text(raw.certno, "certno"),
        name=raw.psn_name,
        occurred=ended,
        correlation=key,
        groups={"stay": stay},
    )
    return (fact, *_death(raw, left, key, day_of(ended)))


def _death(raw: Request, left: Discharge, key: str, ended: int) -> tuple[Observation, ...]:
    died = m.optional(left.die_date)
    if left.dscg_way != DIED and not died:
        return ()
    on = day_of(m.instant(died, "input.dscginfo.die_date")) if died else ended
    life = {"life_status": "died", "died_on": on, "status": "reported", "sources": ["hospital"]}
    return (
        Observation(
            type="person.died",
            record_key=key,
            version=ORIGINAL,
            id_number=raw.certno,
            name=raw.psn_name,
            occurred=midnight(on),
            correlation=key,
            groups={"life": life},
        ),
    )


def _settled(raw: Request) -> tuple[Observation, ...]:
    bill = _part(raw.input.setlinfo, "input.setlinfo")
    at = m.instant(bill.setl_time, "input.setlinfo.setl_time")
    total = _fen(bill.medfee_sumamt, "input.setlinfo.medfee_sumamt")
    paid = _fen(bill.fund_pay_sumamt, "input.setlinfo.fund_pay_sumamt")
    cost = {
        "expense_date": day_of(at),
        "kind": "settled",
        "total": total,
        "insurance_paid": paid,
        "self_paid": total - paid,
        "remainder": total - paid,
        "settlement_id": bill.setl_id,
    }
    groups: dict[str, dict[str, Any]] = {
        "stay": {"hospital": raw.fixmedins_name or raw.fixmedins_code, "local": _local(raw)},
        "medcost": cost,
    }
    if bill.insutype:
        groups["insurance"] = {"scheme": SCHEMES.get(bill.insutype, bill.insutype)}
    return (
        Observation(
            type="medical.expense_recorded",
            record_key=_key(raw, bill.setl_id),
            version=ORIGINAL,
            id_number=m.text(raw.certno, "certno"),
            name=raw.psn_name,
            occurred=at,
            correlation=_key(raw, bill.mdtrt_id),
            groups=groups,
        ),
    )


def _admission_cancelled(raw: Request) -> tuple[Observation, ...]:
    return (_annulled(raw, "health.hospitalized", "health.hospitalized"),)


def _discharge_cancelled(raw: Request) -> tuple[Observation, ...]:
    # The message does not tell whether the discharge was a death, so the retraction goes out
    # in any case; it finds nothing to undo where no death was reported.
    return (
        _annulled(raw, "health.discharged", "health.discharged"),
        _annulled(raw, "person.death_retracted", "person.died"),
    )


def _settlement_undone(raw: Request) -> tuple[Observation, ...]:
    return (_annulled(raw, "medical.expense_recorded", "medical.expense_recorded"),)


def _annulled(raw: Request, event: str, original: str) -> Observation:
    undone = _part(raw.input.data, "input.data")
    number = undone.mdtrt_id
    if raw.infno == "2305":
        number = m.text(undone.setl_id, "input.data.setl_id")
    key = _key(raw, number)
    groups: dict[str, dict[str, Any]] = {}
    if event == "person.death_retracted":
        groups = {"life": {"life_status": "alive", "reason": "出院撤销"}}
    return Observation(
        type=event,
        record_key=key,
        version=f"{raw.infno}/{_sent(raw)}",
        id_number=m.optional(raw.certno),
        name=raw.psn_name,
        occurred=m.instant(raw.inf_time, "inf_time"),
        lifecycle="annulled",
        replaces=Original(key, original, ORIGINAL),
        correlation=_key(raw, undone.mdtrt_id),
        groups=groups,
    )


def _nothing(raw: Request) -> tuple[Observation, ...]:  # noqa: ARG001 - one form for all
    return ()


def _part(part: Part | None, name: str) -> Part:
    if part is None:
        raise DataError("E-FIELD-MISSING", name)
    return part


def _key(raw: Request, number: str) -> str:
    return f"{raw.fixmedins_code}/{number}"


def _sent(raw: Request) -> str:
    return f"{m.instant(raw.inf_time, 'inf_time'):020}"


def _local(raw: Request) -> bool | None:
    here, insured = raw.mdtrtarea_admvs, raw.insuplc_admdvs
    return here[:6] == insured[:6] if here and insured else None


def _fen(amount: Decimal, name: str) -> int:
    try:
        return fen_of(amount)
    except DataError as error:
        raise DataError(error.code, name, error.detail) from None


_MESSAGES: dict[str, Callable[[Request], tuple[Observation, ...]]] = {
    "1101": _nothing,
    "2301": _nothing,
    "2302": _nothing,
    "2303": _nothing,
    "2304": _settled,
    "2305": _settlement_undone,
    "2401": _admitted,
    "2402": _discharged,
    "2403": _admitted,
    "2404": _admission_cancelled,
    "2405": _discharge_cancelled,
}
