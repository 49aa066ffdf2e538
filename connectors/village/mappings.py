"""Reports from a form: a need, a death, a wrong death report, a month without income."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from hub.kernel.errors import DataError
from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Observation, Original

FINAL = "1"
"""A report is never edited: a mistake gets a report of its own, so its version is constant."""
EVENTS = {
    "need": "need.discovered",
    "death": "person.died",
    "death_wrong": "person.death_retracted",
    "no_income": "employment.no_income_month",
}
NEEDS = ("illness", "accident", "disaster", "school", "housing", "care", "income")
URGENCIES = ("ordinary", "urgent", "specially_urgent")
NOTE = 500
"""Characters of a note, at most."""
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class Report(msgspec.Struct, gc=False):
    """What the form sends; ``report_no`` is given by the form."""

    report_no: str
    kind: str
    on: str
    id_number: str
    name: str | None = None
    village: str = ""
    phone: str | None = None
    address: str | None = None
    urgency: str | None = None
    need: str | None = None
    note: str | None = None
    month: str | None = None
    wrong_report: str | None = None


def report(raw: Report) -> Observation:
    """One report of a village official."""
    event = m.code(raw.kind, EVENTS, "kind")
    on = m.day(raw.on, "on")
    groups = {_GROUPS[event]: _CONTENT[event](raw, on)}
    if raw.phone or raw.address:
        groups["contact"] = {"phone": raw.phone, "residence_address": raw.address}
    wrong = event == "person.death_retracted"
    return Observation(
        type=event,
        record_key=raw.report_no,
        version=FINAL,
        id_number=raw.id_number,
        name=raw.name,
        occurred=midnight(on),
        lifecycle="annulled" if wrong else "created",
        replaces=_wrong_report(raw) if wrong else None,
        jurisdiction=raw.village,
        groups=groups,
    )


def _need(raw: Report, on: int) -> dict[str, Any]:  # noqa: ARG001 - one form for all
    if raw.note and len(raw.note) > NOTE:
        raise DataError("E-FIELD-TYPE", "note", f"more than {NOTE} characters")
    known = dict.fromkeys(NEEDS, True)
    m.code(raw.need, known, "need")
    if raw.urgency:
        m.code(raw.urgency, dict.fromkeys(URGENCIES, True), "urgency")
    return {
        "need_kind": raw.need,
        "urgency": raw.urgency or "ordinary",
        "note": m.optional(raw.note),
        "channel": "village",
        "needs": [raw.need],
    }


def _death(raw: Report, on: int) -> dict[str, Any]:  # noqa: ARG001 - one form for all
    return {"life_status": "died", "died_on": on, "status": "reported", "sources": ["village"]}


def _alive(raw: Report, on: int) -> dict[str, Any]:  # noqa: ARG001 - one form for all
    return {"life_status": "alive", "reason": m.optional(raw.note)}


def _no_income(raw: Report, on: int) -> dict[str, Any]:
    month = m.text(raw.month, "month")
    if not _MONTH.fullmatch(month):
        raise DataError("E-DATE", "month")
    return {"status": "no_income", "since": on, "month": month}


def _wrong_report(raw: Report) -> Original:
    return Original(m.text(raw.wrong_report, "wrong_report"), "person.died", FINAL)


_CONTENT = {
    "need.discovered": _need,
    "person.died": _death,
    "person.death_retracted": _alive,
    "employment.no_income_month": _no_income,
}
_GROUPS = {
    "need.discovered": "need",
    "person.died": "life",
    "person.death_retracted": "life",
    "employment.no_income_month": "job",
}
