"""Bench records: raw records of an invented city (ID prefix 99) for measuring throughput.

One person in twenty is on roll. Most records are admissions, bills and jobs of everybody else:
facts that no program has a role for, refused with a reason that is put on record.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec

from hub.kernel.resident_ids import check_character

ADMISSIONS = "in.health.admissions"
CATEGORIES = "in.civil-affairs.categories"
SETTLEMENTS = "in.medical-insurance.settlements"
EMPLOYMENT = "in.hrss.employment"

_FIRST_BIRTH = date(1950, 1, 1)
_EACH = 5
"""Records per person."""
_ON_ROLL = 20
"""One person in so many is granted minimum living allowance (5 %): 1 % of the records."""
_REPEATS = 20
"""One record in so many is the one before it once more (5 %)."""
_ADMISSIONS, _SETTLEMENTS, _STARTED = 45, 75, 97
"""Of a hundred records 45 admissions, 30 bills, 22 new jobs, 3 jobs lost."""


def id_number(person: int) -> str:
    """A number that cannot exist, with the right check character."""
    born = _FIRST_BIRTH + timedelta(days=person % 20_000)
    digits = f"990682{born:%Y%m%d}{person // 20_000:03}"
    return digits + check_character(digits)


def _record(person: int, **fields: Any) -> bytes:
    """A record of a view: who it is about, its fields, state and version."""
    return msgspec.json.encode(
        {
            "姓名": "测试人",
            "证件号码": id_number(person),
            **fields,
            "记录状态": "1",
            "版本号": 1,
            "更新时间": "2025-03-10 10:00:00",
        }
    )


def admission(number: int, person: int) -> bytes:
    """A hospital admission as the health department writes it."""
    return _record(
        person,
        登记流水号=f"ZY{number:012}",
        机构代码="H32068200001",
        机构名称="如皋市人民医院",
        业务类型="1",
        联系电话="19900000001",
        现住址="如城街道12号",
        现住区划="320682001",
        户籍区划="320682",
        住院号=f"IP{number:06}",
        入院日期="2025-03-01",
        出院日期=None,
        离院方式=None,
        死亡日期=None,
        主要诊断编码="N05.900x003",
        主要诊断名称="慢性肾炎",
        本地住院="1",
    )


def settlement(number: int, person: int) -> bytes:
    """A bill as the medical insurance writes it."""
    return _record(
        person,
        结算编号=f"JS{number:012}",
        定点机构="如皋市人民医院",
        就诊编号=f"M{number:06}",
        费用日期="2025-03-09",
        结算类别="2",
        总费用="12345.60",
        基金支付="8,000.10",
        个人自付="4345.50",
        险种="390",
        诊断编码="N05.900x003",
    )


def employment(number: int, person: int, *, lost: bool) -> bytes:
    """A job found or lost as human resources writes it."""
    return _record(
        person,
        登记编号=f"JY{number:012}",
        业务类别="2" if lost else "1",
        发生日期="2025-03-05",
        单位类型="私营企业",
        失业原因="合同到期" if lost else None,
        无收入月份=None,
        连续无收入月数=None,
    )


def category(number: int, person: int) -> bytes:
    """A grant of minimum living allowance as civil affairs writes it."""
    identity = {"idCard": id_number(person), "name": "测试人"}
    return msgspec.json.encode(
        {
            "recordNo": f"RD{number:012}",
            "version": 1,
            "status": "NEW",
            "action": "GRANT",
            "familyNo": f"B-{person:08}",
            "person": identity,
            "category": "低保",
            "subtype": "RURAL",
            "scope": "HOUSEHOLD",
            "effectiveDate": "2025-02-10",
            "conditional": False,
            "decisionNo": f"D-{number}",
            "documentNo": "皋民〔2025〕1号",
            "members": [{**identity, "relation": "head", "joinDate": "2010-01-01"}],
            "meterAccount": f"{person:010}",
            "incomePerHead": "412.50",
            "area": "320682001",
            "operatedAt": "2025-02-10T09:00:00+08:00",
        }
    )


def mixture(events: int) -> Iterator[tuple[str, int, bytes]]:
    """Topic, person and raw record; five of each person, in an order that mixes people."""
    people = max(1, events // _EACH)
    last: tuple[str, int, bytes] | None = None
    for number in range(events):
        person = number * 7919 % people
        if last is None or number % _REPEATS != _REPEATS - 1:
            last = _one(number, person, number // people)
        yield last


def _one(number: int, person: int, turn: int) -> tuple[str, int, bytes]:
    """One record; a grant where it is the person's turn, else whatever the dice say."""
    if person % _ON_ROLL == 0 and turn == person // _ON_ROLL % _EACH:
        return CATEGORIES, person, category(number, person)
    dice = zlib.crc32(number.to_bytes(8, "big")) % 100
    if dice < _ADMISSIONS:
        return ADMISSIONS, person, admission(number, person)
    if dice < _SETTLEMENTS:
        return SETTLEMENTS, person, settlement(number, person)
    return EMPLOYMENT, person, employment(number, person, lost=dice >= _STARTED)
