"""The audit's page and what it exports; the page of time quality."""

from __future__ import annotations

import csv
import io

from hub.console import acts
from hub.console.exports import csv_of
from hub.monitoring.pictures import Quality
from hub.store.connections import close, connect
from tests.console.conftest import Rig, token
from tests.console.test_live_pages import take


async def _acts(rig: Rig, number: int, kind: str = "message.revealed", **details: object) -> None:
    connection = await connect(rig.database)
    for at in range(number):
        given = {"target": f"event.need/0/{at}", "reason": "核对来电", **details}
        await acts.note(connection, "zhang", kind, now=1000 + at, **given)  # type: ignore[arg-type]
    await close(connection)


async def test_the_audit_shows_who_read_what_and_why_newest_first_in_pages(rig: Rig) -> None:
    await _acts(rig, 130)
    browser = await rig.signed_in("auditor")
    first = (await browser.get("/audit", params={"actor": "zhang", "kind": "reads"})).text
    assert "核对来电" in first
    assert "event.need/0/129" in first
    assert "event.need/0/29<" not in first
    oldest = (await rig.fetch("SELECT id FROM audit WHERE actor = 'zhang' ORDER BY id"))[30][0]
    assert f"before={oldest}" in first
    second = (await browser.get("/audit", params={"actor": "zhang", "before": oldest})).text
    assert "event.need/0/29<" in second
    assert "event.need/0/129" not in second


async def test_the_audit_is_filtered_by_kind_thing_and_time(rig: Rig) -> None:
    await _acts(rig, 3)
    await _acts(rig, 2, "offsets.moved", target="hub.decide", before=7, after=3)
    browser = await rig.signed_in("auditor")
    text = (await browser.get("/audit", params={"kind": "offsets.moved"})).text
    assert "7 → 3" in text
    assert "event.need/0/1<" not in text
    text = (await browser.get("/audit", params={"target": "event.need/0/1"})).text
    assert "event.need/0/1<" in text
    assert "event.need/0/2<" not in text
    text = (await browser.get("/audit", params={"since": "2001-01-01T00:00"})).text
    assert "zhang" not in text.partition("<tbody>")[2]
    assert "auditor1" in text


async def test_an_export_of_the_audit_is_on_record_and_runs_no_formula(rig: Rig) -> None:
    await _acts(rig, 1, reason="=HYPERLINK(1)")
    browser = await rig.signed_in("auditor")
    csrf = token(await browser.get("/audit"))
    answer = await browser.post("/audit/export", data={"csrf": csrf, "actor": "zhang"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["who"], row["reason"]) for row in rows] == [("zhang", "'=HYPERLINK(1)")]
    found = await rig.fetch("SELECT actor, doc->>'rows' FROM audit WHERE kind = 'audit.exported'")
    assert [tuple(row) for row in found] == [("auditor1", "1")]


def test_cells_that_a_spreadsheet_would_run_are_texts() -> None:
    cells = ["=1", "+1", "-1", "@a", "\tx", "ok", "a=b"]
    text = csv_of(["c"], [[one] for one in cells]).decode("utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(text))][1:] == [
        "'=1", "'+1", "'-1", "'@a", "'\tx", "ok", "a=b",
    ]  # fmt: skip


async def test_administrators_and_operators_do_not_see_the_audit(rig: Rig) -> None:
    for role in ("admin", "operator", "viewer"):
        browser = await rig.signed_in(role)
        assert (await browser.get("/audit")).status_code == 403
        assert 'href="/audit"' not in (await browser.get("/me")).text


async def test_acts_of_people_are_found_by_index_among_the_hubs_rows(rig: Rig) -> None:
    await rig.fetch(
        "INSERT INTO audit (at, kind, actor, doc) SELECT n, 'decision', 'hub', '{}'"
        " FROM generate_series(1, 5000) n"
    )
    await _acts(rig, 1)
    plan = await rig.fetch(
        "EXPLAIN SELECT id FROM audit WHERE actor <> 'hub' ORDER BY id DESC LIMIT 100"
    )
    assert "audit_people" in str(plan[1])


async def test_the_page_of_time_quality_says_what_to_tell_which_department(rig: Rig) -> None:
    await take(
        rig, quality=[Quality("health", 100, 30, 0, 0, 0), Quality("police", 50, 0, 0, 0, 0)]
    )
    browser = await rig.signed_in("viewer")
    text = (await browser.get("/quality")).text
    health = text.index("卫生健康委员会</span>")
    assert health < text.index("公安局</span>")
    assert "30.0%" in text
    assert "事实发生当天即报送" in text
    assert "请将报送机器与时间服务器对时" not in text
