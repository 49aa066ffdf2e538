"""Bench admissions: the health department's view alone, for measuring intake by itself.

Rows of about 400 bytes as a department sends that gives neither telephone nor address; five of
each person; one in two hundred holds an ID number with a wrong check character.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from hub.kernel.resident_ids import check_character
from hub.runtime.bench_cities import Made

ADMISSIONS = "in.health.admissions"

_FIRST_BIRTH = date(1950, 1, 1)
_TODAY = date.today()  # noqa: DTZ011 - a day of the calendar; one for the whole process
_DAYS = 170
"""Over so many days admissions are spread: what is new, not what was long ago."""
_EACH = 5
_BAD = 200
_HOSPITALS = ("如皋市人民医院", "如皋市中医院", "如皋市第三人民医院", "如皋博爱医院")
_CODES = tuple(f"N{number:02}.900x003" for number in range(40))


def id_number(person: int) -> str:
    """A number that cannot exist, with the right check character."""
    born = _FIRST_BIRTH + timedelta(days=person % 20_000)
    digits = f"990682{born:%Y%m%d}{person // 20_000:03}"
    return digits + check_character(digits)


def codes() -> tuple[str, ...]:
    """Every diagnosis that occurs."""
    return _CODES


def day_before(days: int) -> str:
    """The civil day so many days ago, as forms write it."""
    return (_TODAY - timedelta(days=days)).isoformat()


def admissions(events: int) -> Iterator[Made]:
    """Raw records, in an order that mixes people."""
    people = max(1, events // _EACH)
    for number in range(events):
        person = number * 7919 % people
        identity = id_number(person)
        if number % _BAD == _BAD - 1:
            identity = identity[:17] + ("0" if identity[17] != "0" else "1")
        yield ADMISSIONS, row(number, person, identity)


def row(number: int, person: int, identity: str) -> bytes:
    """One row of 住院登记表."""
    return msgspec.json.encode(
        {
            "登记流水号": f"ZY{number:012}",
            "机构代码": "H32068200001",
            "机构名称": _HOSPITALS[person % len(_HOSPITALS)],
            "业务类型": "1",
            "姓名": "测试人",
            "证件号码": identity,
            "现住区划": "320682001",
            "户籍区划": "320682",
            "住院号": f"IP{number:06}",
            "入院日期": day_before(1 + person % _DAYS),
            "主要诊断编码": _CODES[person % len(_CODES)],
            "主要诊断名称": "慢性肾炎",
            "本地住院": "1",
            "记录状态": "1",
            "版本号": 1,
        }
    )
