"""L03: everybody on roll is put on record, then a whole list comes every month; only changes count."""

from __future__ import annotations

import asyncio
import csv
import random
import time
from pathlib import Path

import asyncpg

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.machines import crowding
from tests.faults.harness.operators import operate
from tests.faults.harness.recoveries import rested
from tests.faults.harness.sendings import sending
from tests.faults.harness.sites import Site
from tests.faults.loads.facts import Fact
from tests.faults.loads.people import person

CASE = Case(
    "L03",
    "期初装载在保人员;每月全量名单只有变化成为事件",
    "Opening balance; of a monthly full list only changes become events",
    quick=Scale(rounds=4_000, seconds=20_000, load=Load(rate=0), recovery=120),
    full=Scale("full", rounds=376_000, seconds=4_700_000, load=Load(rate=0), recovery=900),
    workers=1,
    connectors=("civil-affairs", "hrss"),
    sabotages=("dead_letter_everything",),
)
_PER_S = 1306
"""4.7 million in an hour."""
_LIST_SECONDS = 300.0
_HOUSE = 2
_CHANGED = 0.01
_SEED = 7001
_FULL_LIST = 'UPDATE "社保状态变更表" SET "更新时间" = now()'
_REFERRALS = "SELECT count(*) FROM referral"
_EVENTS = "SELECT count(*) FROM seen_event WHERE type = 'social_insurance.changed'"


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """``seconds`` is how many people are on roll, ``rounds`` how many rows the list has."""
    people = int(scale.seconds)
    file = site.folder / "roll.csv"
    await asyncio.to_thread(_write, file, people)
    async with sending(site, dice.randrange(1, 4000)) as out:
        fact = Fact(n=10**9, kind="opening", way="file", place="civil-affairs/roll", balance=people)
        out.generator.ledger.plan([fact])
        begin = time.monotonic()
        await operate(site, "roster", "load", str(file), seconds=3 * people / _PER_S + 300)
        took, slow = time.monotonic() - begin, crowding()
        site.notes["people per second"] = round(people / took)
        if people / took * slow < _PER_S:
            site.broken.append(f"{people / took:.0f} people/s, at least {_PER_S / slow:.0f}")
        if await site.query("SELECT count(*) FROM delivery"):
            site.broken.append("the opening balance told somebody")
        before = await site.query(_REFERRALS)
        rows = [out.builder.insured(out.person()) for _ in range(scale.rounds)]
        await out.send(rows, 600)
        await rested(site, scale.recovery or 0.0)
        await _monthly(site, scale)
        changed = dice.sample(rows, int(scale.rounds * _CHANGED))
        await out.send([out.builder.insured_again(row) for row in changed])
        await rested(site, scale.recovery or 0.0)
        events = await site.query(_EVENTS)
        site.notes["events of the list"] = events
        if events != len(rows) + len(changed):
            site.broken.append(f"{events} events of {len(rows)} rows and {len(changed)} changes")
        if before != (after := await site.query(_REFERRALS)):
            site.broken.append(f"{after - before} spurious referrals")


async def _monthly(site: Site, scale: Scale) -> None:
    """The department writes its whole list anew; nothing in it has changed."""
    site.tell(f"全量名单 {scale.rounds} 行 · whole list")
    begin = time.monotonic()
    connection = await asyncpg.connect(site.exchange)
    await connection.execute(_FULL_LIST)
    await connection.close()
    await rested(site, scale.recovery or 0.0)
    site.notes["list s"] = took = round(time.monotonic() - begin, 1)
    if took > _LIST_SECONDS * crowding():
        site.broken.append(f"a whole list took {took} s, at most {_LIST_SECONDS:.0f}")


def _write(file: Path, people: int) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["家庭编号", "证件号码", "姓名", "与户主关系", "救助类别", "生效日期"])
        for number in range(people):
            who = person(_SEED, number + 1)
            relation = "spouse" if number % _HOUSE else "head"
            house = f"RH{number // _HOUSE:07d}"
            rows.writerow([house, who.id_number, who.name, relation, "DIBAO", "2024-01-01"])
