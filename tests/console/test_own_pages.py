"""A department sees itself, a program sees itself, and both see nothing else."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from fastapi.routing import APIRoute
from python_calamine import CalamineWorkbook

from hub.console.apps import ROUTERS
from tests.console import worked
from tests.console.conftest import Rig, token
from tests.console.test_live_pages import take

OPEN_TO_ALL = re.compile(r"/(static|sign-in|favicon)")
OWN = {"/own", "/own/rejects.xlsx", "/me", "/me/password", "/sign-out", "/"}


def routes() -> list[tuple[str, str]]:
    """Every method and address of the console."""
    return sorted(
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    )


@pytest.mark.parametrize(
    ("role", "scope"), [("department", "health"), ("program", "electricity-relief")]
)
async def test_every_other_address_of_the_console_refuses_them(
    rig: Rig, role: str, scope: str
) -> None:
    await take(rig)
    browser = await rig.signed_in(role, scope=scope)
    csrf = token(await browser.get("/own"))
    tried = 0
    for method, path in routes():
        if OPEN_TO_ALL.match(path) or path in OWN or path.startswith("/me"):
            continue
        address = re.sub(r"\{[^}]*\}", "1", path)
        answer = await browser.request(method, address, headers={"x-csrf": csrf})
        assert answer.status_code == 403, (method, path, answer.status_code)
        tried += 1
    assert tried > 40
    assert (await browser.get("/live/connector?connector=police")).status_code == 403
    assert (await browser.get("/")).headers["location"] == "/own"


async def test_others_have_no_page_of_their_own_and_an_account_without_scope_sees_nothing(
    rig: Rig,
) -> None:
    await take(rig)
    for role in ("viewer", "operator", "admin"):
        assert (await (await rig.signed_in(role)).get("/own")).status_code == 403
    answer = await (await rig.signed_in("department")).get("/own")
    assert answer.status_code == 403
    program = await rig.signed_in("program", scope="medical-aid")
    assert (await program.get("/own/rejects.xlsx")).status_code == 403


async def test_a_department_reads_what_became_of_its_facts_and_nothing_of_others(rig: Rig) -> None:
    await take(rig)
    now = rig.now()
    await worked.fact(rig, "a", "health", at=now - 1000, copies=("medical-aid",))
    await worked.fact(
        rig, "b", "health", at=now - 900, denied=(("medical-aid", "deny.no_agreement"),)
    )
    await worked.fact(rig, "c", "hospital", at=now - 800, copies=("medical-aid",))
    await worked.fact(rig, "d", "health", "filtered", at=now - 700)
    await worked.letter(rig, "l1", "health", "E-DATE", at=now - 600)
    await worked.letter(rig, "l2", "police", "E-ID-CHECK", at=now - 600)
    browser = await rig.signed_in("department", scope="health")
    text = (await browser.get("/own")).text
    main = text[text.index('id="own"') :]
    rows = re.findall(r"<tr><td>住院</td><td>([^<]*).*?</tr>", main)
    assert [row.strip() for row in rows[:2]] == ["已决策", "无需处理"]
    decided = re.search(r"已决策.*?</tr>", main)
    assert decided
    assert re.findall(r'figure">(\d+)<', decided[0])[:3] == ["2", "1", "1"]
    assert "没有服务协议" in main
    assert "E-DATE" in main
    assert "E-ID-CHECK" not in main
    assert "住院登记已 9 小时 没有新数据" in main
    assert not re.search(r'href="/(?!own)', main), "no link leads to a closed page"


async def test_the_please_fix_list_of_a_department_has_its_own_records_and_no_person(
    rig: Rig,
) -> None:
    await take(rig)
    now = rig.now()
    await worked.letter(rig, "l1", "health", "E-DATE", at=now - 600, key="ZY-7")
    await worked.letter(rig, "l2", "police", "E-ID-CHECK", at=now - 600, key="P-1")
    await worked.letter(rig, "l3", "health", "E-DATE", at=now - 600, key="ZY-8", state="settled")
    browser = await rig.signed_in("department", scope="health")
    answer = await browser.get("/own/rejects.xlsx?department=police")
    rows = CalamineWorkbook.from_filelike(BytesIO(answer.content)).get_sheet_by_index(0)
    table = rows.to_python()
    assert [row[0] for row in table[1:]] == ["ZY-7"]
    assert table[1][4] == "E-DATE"
    assert "张三" not in str(table)
    noted = await rig.fetch("SELECT actor, doc FROM audit WHERE kind = 'export'")
    assert len(noted) == 1
    assert noted[0]["actor"].startswith("department")


async def test_a_program_reads_its_gaps_and_parked_copies(rig: Rig) -> None:
    await take(rig)
    now = rig.now()
    await worked.subscription(rig, "electricity-relief", "webhook")
    await worked.copy(rig, "electricity-relief", 3, "parked", at=now - 5000)
    await worked.copy(rig, "electricity-relief", 4, "sent", at=now - 4000)
    await worked.copy(rig, "electricity-relief", 5, "waiting", at=now - 3000)
    await worked.copy(rig, "medical-aid", 77, "parked", at=now - 3000)
    browser = await rig.signed_in("program", scope="electricity-relief")
    text = (await browser.get("/own")).text
    main = text[text.index('id="own"') :]
    gaps = main[main.index("缺失编号") : main.index("搁置的副本")]
    assert re.findall(r"1/(\d+)", gaps) == ["3"], "5 waits behind nothing that was delivered"
    assert "1/77" not in main
    assert not re.search(r'href="/(?!own)', main)
