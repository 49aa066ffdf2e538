"""Incidents: one trouble is in one hand, and the history says what was done."""

from __future__ import annotations

import re

import httpx

from hub.monitoring.findings import findings
from tests.console.conftest import Rig, token
from tests.console.pictured import troubled
from tests.console.test_live_pages import take


async def _taken(rig: Rig) -> tuple[httpx.AsyncClient, str, str]:
    await take(rig)
    browser = await rig.signed_in("operator")
    csrf = token(await browser.get("/incidents"))
    key = next(one.key for one in findings(troubled(rig.now())) if one.kind == "silent")
    answer = await browser.post("/incidents", data={"csrf": csrf, "finding": key})
    return browser, csrf, answer.headers["location"]


async def test_a_finding_is_taken_once_and_shown_on_the_map_and_at_the_department(
    rig: Rig,
) -> None:
    browser, _, place = await _taken(rig)
    other = await rig.signed_in("operator")
    csrf = token(await other.get("/incidents"))
    key = (await rig.fetch("SELECT finding FROM incident"))[0]["finding"]
    answer = await other.post("/incidents", data={"csrf": csrf, "finding": key})
    assert answer.headers["location"] == place, "the second one is led to the first one's"
    await take(rig, number=8)
    for address in ("/", "/connectors/health"):
        text = (await browser.get(address)).text
        assert re.search(rf'href="{place}">处理人 operator1<', text), address
    assert len(await rig.fetch("SELECT 1 FROM audit WHERE kind = 'incident_opened'")) == 1


async def test_a_hand_over_ticket_answer_and_cause_stand_in_the_history(rig: Rig) -> None:
    browser, csrf, place = await _taken(rig)
    await rig.signed_in("operator")

    async def step(kind: str, text: str) -> int:
        answer = await browser.post(f"{place}/{kind}", data={"csrf": csrf, "text": text})
        return answer.status_code

    assert await step("ticket_answered", "too early") == 400
    assert await step("note", "已电话联系") == 303
    assert await step("ticket_sent", "GD-17") == 303
    assert await step("ticket_answered", "接口口令已更换") == 303
    assert await step("handed", "nobody") == 400
    assert await step("handed", "operator2") == 303
    assert await step("closed", "口令过期") == 303
    assert await step("note", "afterwards") == 400
    kinds = await rig.fetch("SELECT kind FROM incident_note ORDER BY id")
    assert [row["kind"] for row in kinds] == [
        "opened", "note", "ticket_sent", "ticket_answered", "handed", "closed",
    ]  # fmt: skip
    row = (await rig.fetch("SELECT owner, cause, closed_by FROM incident"))[0]
    assert tuple(row) == ("operator2", "口令过期", "operator1")
    assert "口令过期" in (await browser.get("/incidents?everything=1")).text
    acts = await rig.fetch("SELECT kind FROM audit WHERE kind LIKE 'incident_%' ORDER BY id")
    assert len(acts) == 6


async def test_after_the_end_the_same_finding_opens_a_new_incident(rig: Rig) -> None:
    browser, csrf, place = await _taken(rig)
    key = (await rig.fetch("SELECT finding FROM incident"))[0]["finding"]
    await browser.post(f"{place}/closed", data={"csrf": csrf, "text": "mended"})
    answer = await browser.post("/incidents", data={"csrf": csrf, "finding": key})
    assert answer.headers["location"] not in {place, ""}
    assert len(await rig.fetch("SELECT 1 FROM incident")) == 2


async def test_one_by_hand_needs_words_and_no_long_number(rig: Rig) -> None:
    browser = await rig.signed_in("operator")
    csrf = token(await browser.get("/incidents"))
    for title in ("x", "居民 320682 19800101 0013"):
        answer = await browser.post("/incidents", data={"csrf": csrf, "title": title})
        assert answer.status_code == 400
    answer = await browser.post(
        "/incidents", data={"csrf": csrf, "title": "民政局停电", "who": "civil-affairs"}
    )
    assert answer.status_code == 303
    gone = await browser.post("/incidents", data={"csrf": csrf, "finding": "silent/x/y"})
    assert gone.status_code == 400
    assert (await browser.get("/incidents/none")).status_code == 404


async def test_viewers_read_and_change_nothing(rig: Rig) -> None:
    _, _, place = await _taken(rig)
    viewer = await rig.signed_in("viewer")
    csrf = token(await viewer.get(place))
    for address in ("/incidents", f"{place}/note", "/incidents/contact", "/maintenance"):
        assert (await viewer.post(address, data={"csrf": csrf})).status_code == 403


async def test_the_duty_contact_stands_at_the_department_and_the_incident(rig: Rig) -> None:
    browser, csrf, place = await _taken(rig)
    form = {"csrf": csrf, "who": "health", "name": "值班员王", "phone": "0513-8650 1234"}
    assert (await browser.post("/incidents/contact", data=form)).status_code == 303
    bad = await browser.post("/incidents/contact", data=form | {"phone": "call me"})
    assert bad.status_code == 400
    await take(rig, number=8)
    for address in (place, "/connectors/health", "/incidents"):
        assert "0513-8650 1234" in (await browser.get(address)).text
    noted = await rig.fetch("SELECT doc FROM audit WHERE kind = 'contact_changed'")
    assert "8650" not in noted[0]["doc"]


async def test_a_maintenance_window_is_planned_listed_and_taken_back(rig: Rig) -> None:
    await take(rig)
    browser = await rig.signed_in("operator")
    csrf = token(await browser.get("/incidents"))
    form = {
        "csrf": csrf, "department": "health", "since": "2030-01-01T01:00",
        "until": "2030-01-01T05:00", "note": "系统升级",
    }  # fmt: skip
    for wrong in (
        {"until": "2029-12-31T01:00"}, {"until": "2031-01-01T01:00"}, {"since": "soon"},
        {"department": "nobody"}, {"note": ""},
    ):  # fmt: skip
        assert (await browser.post("/maintenance", data=form | wrong)).status_code == 400
    assert (await browser.post("/maintenance", data=form)).status_code == 303
    row = (await rig.fetch("SELECT id, to_at - from_at AS span FROM maintenance"))[0]
    assert row["span"] == 4 * 3_600_000
    assert "系统升级" in (await browser.get("/connectors/health")).text
    await browser.post(
        f"/maintenance/{row['id']}/delete", data={"csrf": csrf, "department": "police"}
    )
    assert len(await rig.fetch("SELECT 1 FROM maintenance")) == 1
    await browser.post(
        f"/maintenance/{row['id']}/delete", data={"csrf": csrf, "department": "health"}
    )
    assert not await rig.fetch("SELECT 1 FROM maintenance")
    kinds = await rig.fetch("SELECT kind FROM audit WHERE kind LIKE 'maintenance%' ORDER BY id")
    assert [one["kind"] for one in kinds] == ["maintenance_planned", "maintenance_dropped"]
