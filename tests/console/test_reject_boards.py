"""The data-quality board: rules by department over ten days, and what an office is sent."""

from __future__ import annotations

from io import BytesIO

from python_calamine import CalamineWorkbook

from hub.store import reject_boards
from hub.store.connections import close, connect
from tests.console import worked
from tests.console.conftest import Rig

DAY = 86_400_000


async def test_cells_count_open_and_settled_by_day_and_name_the_newest_sample(rig: Rig) -> None:
    now = rig.now()
    await worked.letter(rig, "old", "health", "E-DATE", at=now - 3 * DAY, state="settled")
    await worked.letter(rig, "new", "health", "E-DATE", at=now)
    await worked.letter(rig, "other", "police", "E-ID-CHECK", at=now, key="P-1")
    await worked.letter(rig, "ancient", "health", "E-DATE", at=now - 12 * DAY)
    connection = await connect(rig.database)
    cells = await reject_boards.cells(connection, now - 10 * DAY)
    await close(connection)
    assert [(c.code, c.source, c.count, c.open, c.sample) for c in cells] == [
        ("E-DATE", "health", 2, 1, "new"),
        ("E-ID-CHECK", "police", 1, 1, "other"),
    ]
    today = reject_boards.day_number(now)
    assert cells[0].days == {today: 1, today - 3: 1}


async def test_the_board_leads_to_a_masked_sample_and_to_the_offices_list(rig: Rig) -> None:
    now = rig.now()
    await worked.letter(rig, "first", "health", "E-DATE", at=now - 50, key="=cmd()")
    await worked.letter(rig, "second", "health", "E-AMOUNT", at=now, key="K-2")
    browser = await rig.signed_in("viewer")
    text = (await browser.get("/rejects")).text
    assert 'href="/letters/first"' in text
    assert "张三" not in text
    everything = await browser.get("/rejects.xlsx?department=health")
    one_rule = await browser.get("/rejects.xlsx?department=health&code=E-AMOUNT")
    tables = [
        CalamineWorkbook.from_filelike(BytesIO(one.content)).get_sheet_by_index(0).to_python()
        for one in (everything, one_rule)
    ]
    assert [row[0] for row in tables[0][1:]] == ["'=cmd()", "K-2"]
    assert [row[4] for row in tables[1][1:]] == ["E-AMOUNT"]
    assert tables[0][1][5] == "日期无效,请按 2025-04-01 填写。"
    assert "张三" not in str(tables)
    assert len(await rig.fetch("SELECT 1 FROM audit WHERE kind = 'export'")) == 2


async def test_an_empty_board_says_so(rig: Rig) -> None:
    assert "十天内没有被拒记录" in (await (await rig.signed_in("viewer")).get("/rejects")).text
