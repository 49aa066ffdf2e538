"""Input of job R: canonical events of lone persons, one in five a grant, 5 % of them repeats.

Every person has five events: four jobs and one grant, all of them kept; the grant's day says how many programs it
is referred to (one to four). So the truth needs no run of the hub: it is made beside the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from hub.contracts.codecs import decode_event
from hub.kernel.settings import Settings
from hub.runtime.bench_admissions import day_before, id_number
from hub.runtime.bench_cities import Made
from hub.runtime.bench_grounds import Input
from hub.runtime.bench_inputs import canonical, raw

PROGRAMS = ("medical-aid", "dibao", "employment-aid", "instant-settlement")
"""In the order in which the bench profile refers a grant to them."""
CATEGORIES = "in.civil-affairs.categories"
EMPLOYMENT = "in.hrss.employment"
TOPICS = ("event.category", "event.employment")
EACH = 5
REPEATS = 20

Referred = tuple[str, str, str]
"""Program, subject (uid in hexadecimal), episode (id of the grant)."""


class Referring(NamedTuple):
    """An input and what must come of it."""

    records: list[Input]
    referrals: set[Referred]
    distinct: int


def referring(settings: Settings, events: int, first: int = 0, stride: int = 1) -> Referring:
    """Canonical events of job R.

    Args:
        settings: Keys and partitions.
        events: How many, repeats included.
        first: Number of the first person, to make inputs that do not meet.
        stride: From one person to the next.
    """
    fresh = events - events // REPEATS
    made = canonical(settings, raw(settings, _raw(fresh, first, stride)))
    return Referring(_with_repeats(made, events), truth(made), len(made))


def raws(settings: Settings, events: int, first: int) -> list[Input]:
    """Raw records of job R without repeats, one event each."""
    return raw(settings, _raw(events, first, 1))


def truth(records: Sequence[Input]) -> set[Referred]:
    """The referrals that follow from canonical events."""
    found = set()
    for one in records:
        if one.topic != "event.category":
            continue
        event = decode_event(one.value)
        for program in PROGRAMS[: 1 + event.effective_from % 4]:
            found.add((program, event.uid.hex(), event.event_id))
    return found


def _with_repeats(made: list[Input], events: int) -> list[Input]:
    found = []
    for place, one in enumerate(made, 1):
        found.append(one)
        if place % (REPEATS - 1) == 0:
            found.append(one)
    return found[:events]


def _raw(events: int, first: int, stride: int) -> Iterator[Made]:
    people = max(1, events // EACH)
    for number in range(events):
        person = number * 7919 % people
        who = first + person * stride
        if person % EACH == number // people:
            yield CATEGORIES, _grant(who)
        else:
            yield EMPLOYMENT, _job(who, number // people)


def _job(person: int, turn: int) -> bytes:
    return msgspec.json.encode(
        {
            "登记编号": f"JY{person:010}-{turn}",
            "业务类别": "1",
            "姓名": "测试人",
            "证件号码": id_number(person),
            "发生日期": day_before(40 + person % 90 + turn),
            "单位类型": "私营企业",
            "记录状态": "1",
            "版本号": 1,
        }
    )


def _grant(person: int) -> bytes:
    return msgspec.json.encode(
        {
            "recordNo": f"RD{person:012}",
            "version": 1,
            "status": "NEW",
            "action": "GRANT",
            "person": {"idCard": id_number(person), "name": "测试人"},
            "category": "低保",
            "subtype": "RURAL",
            "scope": "PERSON",
            "effectiveDate": day_before(30 + person % 4),
            "conditional": False,
            "decisionNo": f"D-{person}",
            "incomePerHead": "412.50",
            "area": "320682001",
            "operatedAt": f"{day_before(20)}T09:00:00+08:00",
        }
    )
