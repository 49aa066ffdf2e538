"""Bench records: raw records of invented people (ID prefix 99) for measuring throughput."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from hub.kernel.resident_ids import check_character

ADMISSIONS = "in.health.admissions"
CATEGORIES = "in.civil-affairs.categories"

_FIRST_BIRTH = date(1950, 1, 1)
_REPEATS = 20
"""One record in so many is the one before it once more (5 %)."""
_GRANTS = 10
"""One record in so many is a category that opens rights; the others are admissions."""


def id_number(person: int) -> str:
    """A number that cannot exist, with the right check character."""
    born = _FIRST_BIRTH + timedelta(days=person % 20_000)
    digits = f"990682{born:%Y%m%d}{person // 20_000:03}"
    return digits + check_character(digits)


def admission(number: int, person: int) -> bytes:
    """A hospital admission as the health department writes it."""
    return msgspec.json.encode(
        {
            "登记流水号": f"ZY{number:012}",
            "机构代码": "H32068200001",
            "机构名称": "如皋市人民医院",
            "业务类型": "1",
            "姓名": "测试人",
            "证件号码": id_number(person),
            "联系电话": "19900000001",
            "现住址": "如城街道12号",
            "现住区划": "320682001",
            "户籍区划": "320682",
            "住院号": f"IP{number:06}",
            "入院日期": "2025-03-01",
            "出院日期": None,
            "离院方式": None,
            "死亡日期": None,
            "主要诊断编码": "N05.900x003",
            "主要诊断名称": "慢性肾炎",
            "本地住院": "1",
            "记录状态": "1",
            "版本号": 1,
            "更新时间": "2025-03-01 10:00:00",
        }
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
    """Topic, person and raw record: admissions, 10 % grants, 5 % repeats; five of a person."""
    people = max(1, events // 5)
    last: tuple[str, int, bytes] | None = None
    for number in range(events):
        person = number * 7919 % people
        if last is not None and number % _REPEATS == 0:
            yield last
            continue
        if number % _GRANTS == 1:
            last = CATEGORIES, person, category(number, person)
        else:
            last = ADMISSIONS, person, admission(number, person)
        yield last
