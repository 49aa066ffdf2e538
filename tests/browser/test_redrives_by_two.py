"""Forty dead letters after a mapping fix: one account asks for them, another one approves."""

from __future__ import annotations

import re
import time
from typing import NamedTuple

import pytest

from hub.embedded.city import forms
from hub.embedded.city.households import Household
from tests.browser.answers import Answers
from tests.browser.browsers import Seat
from tests.browser.readings import diagnosis, red
from tests.browser.sites import Site
from tests.browser.waits import until

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.timeout(240)]
RECORDS = 40
REASON = "映射已按新代码修正"
_OPEN = "SELECT id FROM dead_letter WHERE source = $1 AND state = 'open' AND code LIKE 'E-CODE%'"


class Novelty(NamedTuple):
    """A department uses a new code of one day on, which the connector's mapping does not know.

    Attributes:
        item: Item whose records hold it.
        field: Field of the record.
        code: The new code.
        old: Line of the mapping as it is.
        new: The same line mended.
    """

    item: str
    field: str
    code: str
    old: str
    new: str


NOVELTIES = {
    "health": Novelty(
        "admissions",
        "业务类型",
        "11",
        '_ACTIONS = {"1": _admitted,',
        '_ACTIONS = {"11": _admitted, "1": _admitted,',
    ),
    "housing": Novelty(
        "assessments",
        "业务类别",
        "11",
        'EVENTS = {"1": "housing.danger_assessed",',
        'EVENTS = {"11": "housing.danger_assessed", "1": "housing.danger_assessed",',
    ),
    "hrss": Novelty(
        "employment",
        "业务类别",
        "12",
        '    "2": ("employment.lost", "unemployed"),',
        '    "12": ("employment.lost", "unemployed"),\n    "2": ("employment.lost", "unemployed"),',
    ),
    "medical-insurance": Novelty(
        "settlements",
        "结算类别",
        "22",
        'KINDS = {"1": "interim",',
        'KINDS = {"22": "settled", "1": "interim",',
    ),
}


async def test_forty_dead_letters_are_redriven_by_two_accounts_and_all_end_well(
    city: Site, seat: Seat, second_seat: Seat, answers: Answers
) -> None:
    known = await red(seat)
    who = city.draw.choice(sorted(NOVELTIES))
    await _enter(city, who)
    since = time.monotonic()
    cause, name, sentence = await diagnosis(seat, known)
    assert (cause, name) == ("code", city.stage.manifests[who].zh), sentence
    await seat.page.get_by_text(f"{name}有 {RECORDS} 条记录成为死信").wait_for(timeout=30_000)
    await seat.click(seat.page.get_by_role("link").filter(has_text=f"{name}有 {RECORDS} 条").first)
    row = seat.page.locator("main tbody tr").filter(has_text="E-CODE").filter(has_text=name).first
    assert str(RECORDS) in await row.locator("td").all_inner_texts()
    letters = await city.stage.pool.fetch(_OPEN, who)
    assert len(letters) == RECORDS
    waited = time.monotonic()
    await _mended(city, who)
    since += time.monotonic() - waited
    request = await _asked(seat)
    await _approved(second_seat, request)
    await seat.page.reload()
    await seat.page.locator("main .head").get_by_text("完成").wait_for(timeout=30_000)
    seat.clicks += second_seat.clicks
    answers.note("forty dead letters", seat, since, who=who, cause=cause)
    await _all_well(city, [row["id"] for row in letters])
    await _calm(seat, known)


async def _enter(city: Site, who: str) -> None:
    today, novelty = city.stage.town.today, NOVELTIES[who]
    households = [one for one in city.stage.town.city for _ in range(2)][:RECORDS]
    mark = f"N{city.draw.randrange(1 << 20)}"
    rows = [
        _record(who, one, today, f"{mark}-{at}") | {novelty.field: novelty.code}
        for at, one in enumerate(households)
    ]
    assert len(rows) == RECORDS
    await city.stage.offices.enter(who, novelty.item, *rows)


def _record(who: str, one: Household, today: object, number: str) -> dict[str, object]:
    make = {
        "health": lambda: forms.register_admission(one.head, today, number=number),
        "housing": lambda: forms.assessment(one, one.danger, today, number=number),
        "hrss": lambda: forms.employment(one.head, "2", today, number=number),
        "medical-insurance": lambda: forms.settlement(
            one.head, today, number=number, total="900.00", paid="600.00", own="300.00"
        ),
    }
    return make[who]()


async def _mended(city: Site, who: str) -> None:
    """The connector's keepers mend the mapping, and the worker starts with it."""
    place = city.mappings / who.replace("-", "_") / "mappings.py"
    code = place.read_text("utf-8")
    assert code.count(NOVELTIES[who].old) == 1
    place.write_text(code.replace(NOVELTIES[who].old, NOVELTIES[who].new), "utf-8")
    await city.restart_worker()


async def _asked(seat: Seat) -> str:
    """The dry run, then the request; its number as the page shows it."""
    page = seat.page
    await seat.click(page.get_by_role("button", name="重投全部符合的…"))
    await page.get_by_role("heading", name="重投演示").wait_for()
    shown = await page.locator("main dl.figures div").filter(has_text="将发送").inner_text()
    assert str(RECORDS) in shown.split()
    await page.get_by_label("理由(留痕)", exact=True).fill(REASON)
    await seat.click(page.get_by_role("button", name="提出申请"))
    await page.get_by_text("您是申请人,须由他人批准。").wait_for()
    found = re.search(r"[0-9a-f-]{8}", await page.get_by_role("heading", level=1).inner_text())
    assert found
    return found[0]


async def _approved(seat: Seat, request: str) -> None:
    page = seat.page
    await seat.go("操作申请")
    row = page.locator("main tbody tr").filter(has_text=request)
    assert "op" in await row.locator("td").all_inner_texts()
    await seat.click(row.get_by_role("link"))
    await page.get_by_label("理由", exact=True).fill("已核对试算结果")
    await seat.click(page.get_by_role("button", name="批准并开始"))
    await page.locator("main .head").get_by_text("完成").wait_for(timeout=60_000)


async def _all_well(city: Site, letters: list[str]) -> None:
    """By the hub's own tables: each letter is settled by an event of its own, each was decided."""
    rows = await until(
        lambda: city.stage.pool.fetch(
            "SELECT d.state, d.replays, s.event_id, s.disposition FROM dead_letter d"
            " LEFT JOIN seen_event s ON s.event_id::text = d.settled_by"
            " WHERE d.id = ANY($1)",
            letters,
        ),
        lambda found: all(row["state"] == "settled" and row["event_id"] for row in found),
    )
    assert len(rows) == RECORDS
    assert len({row["event_id"] for row in rows}) == RECORDS
    assert {row["replays"] for row in rows} == {1}
    assert {row["disposition"] for row in rows} <= {"decided", "filtered"}


async def _calm(seat: Seat, known: set[str]) -> None:
    await seat.start()
    await until(lambda: red(seat), lambda found: not found - known)
