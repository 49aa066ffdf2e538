"""A program complains that nothing came for one person; the console tells where it is, and why."""

from __future__ import annotations

import re
import time

import pytest

from tests.browser.answers import Answers
from tests.browser.browsers import Seat
from tests.browser.obstacles import Obstacle, Obstacles
from tests.browser.readings import diagnosis, told
from tests.browser.sites import Site

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.timeout(240)]
REASON = "项目来电:未收到转介"
_LINES = (
    ("refused", re.compile(r"^(?P<who>\S+) 第 [0-9,]+ 号:已搁置")),
    ("area", re.compile(r"^未转发: (?P<who>.+?) — 不在协议区域内")),
    ("receiver", re.compile(r"^(?P<who>\S+) 第 [0-9,]+ 号:等待发送")),
    ("meter", re.compile(r"^(?P<who>\S+):请求匹配电表")),
)
"""What a line of a journey tells of a copy."""


@pytest.mark.parametrize("place", ["on record", "before"])
async def test_why_a_referral_did_not_leave_is_found_from_the_persons_number(
    city: Site, seat: Seat, answers: Answers, place: str
) -> None:
    known = await told(seat)
    obstacles = Obstacles(city)
    ways = obstacles.on_record if place == "on record" else obstacles.before
    drawn = await ways[city.draw.choice(sorted(ways))]()
    print(f"drawn: {drawn.cause} {drawn.program}")
    number = drawn.family.head.id_number
    since = time.monotonic()
    await seat.start()
    try:
        program = city.stage.receivers.agreed[drawn.program].names.zh
        cause, who = await _found(seat, number, program, known)
        answers.note(f"a person, {place}", seat, since, cause=drawn.cause, who=drawn.who)
        assert (cause, drawn.who in who.split("、")) == (drawn.cause, True), who
    finally:
        await obstacles.over(drawn)
    await _left_nowhere(city, seat, number)
    await _leaves_now(city, seat, obstacles, drawn)


async def _found(seat: Seat, number: str, program: str, known: set[str]) -> tuple[str, str]:
    """Cause and who, by the person's matters, else by what the start page tells."""
    await seat.go("人员查询")
    page = seat.page
    await page.get_by_label("居民身份证号码", exact=True).fill(number)
    await page.get_by_label("理由(留痕)", exact=True).fill(REASON)
    await seat.click(page.get_by_role("button", name="查询", exact=True))
    await page.locator("main table, main .empty").first.wait_for()
    rows = page.locator("main tbody tr")
    if not await rows.count():
        assert "没有关于此人的事项" in await page.get_by_role("main").inner_text()
        await seat.go("流水线")
        cause, who, _ = await diagnosis(seat, known, mild=True)
        return cause, who
    own = rows.filter(has_text=program)
    row = own.first if await own.count() else rows.first
    await seat.click(row.get_by_role("link"))
    await page.get_by_role("heading", name="一件事的全程").wait_for()
    lines = [line.strip() for line in (await page.get_by_role("main").inner_text()).splitlines()]
    for cause, words in _LINES:
        for line in lines:
            found = words.search(line)
            if found and program in found["who"].split("、"):
                return cause, found["who"]
    raise AssertionError(f"nothing about {program} in {lines}")


async def _left_nowhere(city: Site, seat: Seat, number: str) -> None:
    """The number is in no address and on no page; the look-up is on record with its reason."""
    assert not [one for one in seat.addresses if number[:17] in one]
    assert number[:17] not in await seat.page.content()
    kept = await city.stage.pool.fetch(
        "SELECT actor, doc->>'reason' FROM audit WHERE kind = 'person.looked_up'"
    )
    assert ("op", REASON) in [tuple(row) for row in kept]


async def _leaves_now(city: Site, seat: Seat, obstacles: Obstacles, drawn: Obstacle) -> None:
    """What stood in the way is gone, so the copy leaves; a parked one once somebody retries it."""
    if drawn.cause in {"area", "meter"}:
        return
    if drawn.cause == "refused":
        await seat.go("重试与搁置")
        await seat.click(seat.page.get_by_role("link", name=drawn.who).last)
        await seat.page.get_by_label("理由", exact=True).first.fill("项目方已修复")
        await seat.click(seat.page.get_by_role("button", name="重试该项目全部"))
    await obstacles.until(_SENT, drawn.family, drawn.program)


_SENT = (
    "SELECT 1 FROM delivery WHERE state = 'sent' AND referral_id IN (SELECT id FROM referral"
    " WHERE (uid = ANY($1) OR household = $2) AND program = $3)"
)
