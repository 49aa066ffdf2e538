"""Open and late: the urgent first, and how many wait behind a trouble."""

from __future__ import annotations

import re

from hub.store import late_matters
from hub.store.connections import close, connect
from tests.console import worked
from tests.console.conftest import Rig
from tests.console.test_live_pages import take
from tests.console.worked import HOUR


async def _matters(rig: Rig, now: int) -> None:
    day = 24 * HOUR
    await worked.referral(
        rig, "ordinary", "medical-aid", "created", opened=now - 9 * day, due=now - 4 * day
    )
    await worked.referral(
        rig, "urgent", "medical-aid", "accepted", opened=now - 25 * HOUR, due=now - HOUR
    )
    await worked.referral(
        rig, "special", "temporary-aid", "created", opened=now - 3 * HOUR, due=now - HOUR
    )
    await worked.referral(
        rig, "in-time", "medical-aid", "created", opened=now - HOUR, due=now + 4 * day
    )
    await worked.referral(
        rig, "done", "medical-aid", "completed", opened=now - 9 * day, due=now - day
    )
    await worked.task(rig, "visit", "town", opened=now - 9 * day, due=now - 5 * day)


async def test_the_shortest_clock_comes_first_then_the_longest_overdue(rig: Rig) -> None:
    now = rig.now()
    await _matters(rig, now)
    connection = await connect(rig.database)
    rows = await late_matters.late(connection, now)
    assert [one["id"] for one in rows] == ["special", "urgent", "visit", "ordinary"]
    assert [one["band"] for one in rows] == ["2h", "24h", "5d", "5d"]
    groups = await late_matters.groups(connection, now)
    assert [(one["owner"], one["band"], one["open"], one["late"]) for one in groups[:2]] == [
        ("temporary-aid", "2h", 1, 1),
        ("medical-aid", "24h", 1, 1),
    ]
    await close(connection)


async def test_the_page_leads_to_the_journey_and_filters_by_owner_and_clock(rig: Rig) -> None:
    await _matters(rig, rig.now())
    browser = await rig.signed_in("viewer")
    text = (await browser.get("/open")).text
    assert re.findall(r'href="/journey/([^"]+)"', text) == [
        "special",
        "urgent",
        "visit",
        "ordinary",
    ]
    text = (await browser.get("/open?owner=medical-aid&clock=5d&everything=1")).text
    assert re.findall(r'href="/journey/([^"]+)"', text) == ["ordinary", "in-time"]
    assert "task" in (await browser.get("/open?lang=en")).text


async def test_persons_behind_a_program_that_does_not_receive_are_counted_once(rig: Rig) -> None:
    await take(rig)
    now = rig.now()
    await worked.subscription(rig, "electricity-relief", "webhook")
    for seq, state, person in (
        (1, "waiting", b"a"), (2, "waiting", b"a"), (3, "parked", b"b"), (4, "sent", b"c"),
    ):  # fmt: skip
        await worked.copy(rig, "electricity-relief", seq, state, at=now - 1000, person=person)
    text = (await (await rig.signed_in("viewer")).get("/open")).text
    row = re.search(r"电费减免自 16 小时 前起未收到.*?</tr>", text, re.DOTALL)
    assert row
    assert "<b>2</b> 人" in row[0]


async def test_households_whose_referrals_rest_on_a_silent_department_are_counted(
    rig: Rig,
) -> None:
    await take(rig)
    now = rig.now()
    for name in ("one", "two"):
        await worked.referral(rig, name, "medical-aid", "created", opened=now, due=now + HOUR)
        await worked.fact(rig, f"grant-{name}", "health", at=now)
    await worked.referral(rig, "other", "medical-aid", "created", opened=now, due=now + HOUR)
    await worked.fact(rig, "grant-other", "civil-affairs", at=now, kind="dibao.granted")
    text = (await (await rig.signed_in("viewer")).get("/open")).text
    row = re.search(r"卫生健康委员会的住院登记已 9 小时.*?</tr>", text, re.DOTALL)
    assert row
    assert "<b>2</b> 户或条" in row[0]


async def test_nothing_late_says_so(rig: Rig) -> None:
    assert "没有逾期" in (await (await rig.signed_in("viewer")).get("/open")).text
