from __future__ import annotations

import re

import pytest
from copies import NAME, NUMBER, copy_row, deliver

from hub.model.records import Referral
from hub.store.audit import AuditRow
from hub.store.unit_of_work import Outcome, UnitOfWork

FACT = "1b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f42"
REFERRAL = "2b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f43"
PAGE = {"Accept": "text/html"}


async def login(client, key, then="/"):
    return await client.post("/login", data={"key": key, "then": then}, headers=PAGE)


async def a_matter(db) -> None:
    row = Referral(
        REFERRAL, "medical-aid", "person", "aa" * 16, FACT, b"\xaa" * 16, None, "created", "matter-1",
        "RG-03.medical-aid", 1_743_000_000_000,
        history=[[1_743_000_000_000, "created", "hub", FACT]],
    )  # fmt: skip
    doc = '{"because": [["RG-03.medical-aid", "k", "2025.1", []]], "copies": [["medical-aid", "c", "t"]], "denied": [["dibao", "deny.directory", "t"]]}'
    audit = AuditRow("decision", "hub", FACT, "category.granted", None, None, "matter-1", doc)
    async with UnitOfWork(db, now=1_743_000_000_000, subscriptions=set()) as unit:
        unit.state.apply((row,))
        await unit.write(Outcome(audit=[audit]))


async def test_pages_ask_for_a_key_and_take_it(door):
    async with door.client() as client:
        asked = await client.get("/", headers=PAGE)
        assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=/")
        assert (await client.get("/status.json")).status_code == 401
        wrong = await login(client, "hub_wrong")
        assert wrong.status_code == 401
        assert "无效" in wrong.text
        entered = await login(client, door.key("operator:duty"))
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        page = await client.get("/", headers=PAGE)
        assert page.status_code == 200
        assert "如皋市 · 运行概况" in page.text
        english = await client.get("/?lang=en", headers=PAGE)
        assert "Rugao · Overview" in english.text


async def test_a_session_ends_when_the_person_signs_out(door):
    async with door.client() as client:
        await login(client, door.key("operator:duty"))
        page = (await client.get("/", headers=PAGE)).text
        token = re.search(r'name="token" value="([0-9a-f]{64})"', page)[1]
        await client.post("/logout", data={"token": "0" * 64})
        assert (await client.get("/status.json")).status_code == 200
        await client.post("/logout", data={"token": token})
        assert (await client.get("/status.json")).status_code == 401


async def test_a_login_leads_to_no_other_site(door):
    async with door.client() as client:
        key = door.key("operator:duty")
        for place in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:1"):
            assert (await login(client, key, place)).headers["location"] == "/"


async def test_a_terminal_link_opens_one_session_once(door):
    link = door.served.login_link()
    async with door.client() as client:
        assert (await client.get(link)).status_code == 303
        assert (await client.get("/status.json")).status_code == 200
    async with door.client() as client:
        assert (await client.get(link)).status_code == 401


async def test_a_forged_cookie_opens_nothing(door):
    async with door.client() as client:
        await login(client, door.key("operator:duty"))
        good = client.cookies["hub_session"]
    for bad in (good[:-2] + "AA", "x.y", "", good.partition(".")[0] + "."):
        async with door.client(cookies={"hub_session": bad}) as client:
            assert (await client.get("/status.json")).status_code == 401


async def test_pages_load_nothing_foreign_and_nothing_inline(door):
    async with door.client("operator:duty") as client:
        page = await client.get("/", headers=PAGE)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"https?://|<style|style=|onclick=|<script>", page.text)
        for name in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)):
            assert (await client.get(name)).status_code == 200
        assert (await client.get("/static/../apps.py")).status_code == 404
        for path in ("/docs", "/redoc"):
            assert (await client.get(path)).status_code == 404


async def test_departments_and_programs_are_no_operators(door):
    for principal in ("department:village", "program:medical-aid"):
        async with door.client(principal) as client:
            for path in ("/", "/status.json", "/tracking/x1234"):
                assert (await client.get(path)).status_code == 403


async def test_a_matter_is_shown_hop_by_hop_without_names(door):
    await a_matter(door.db)
    await deliver(door.db, copy_row(501, event_id=FACT, referral=REFERRAL))
    async with door.client("operator:duty") as client:
        for ref in (REFERRAL, FACT, "matter-1"):
            found = (await client.get(f"/tracking/{ref}")).json()
            stages = [hop["stage"] for hop in found["hops"]]
            assert stages == ["decided", "copy", "referral", "delivered"], ref
        decided, copy, _, delivered = found["hops"]
        assert decided["because"][0]["sentence"]["zh"] == "在保人员由医疗救助项目跟进"
        assert decided["denied"][0]["code"] == "deny.directory"
        assert [field["path"] for field in copy["fields"]] == ["id.name", "id.id_number"]
        assert copy["because"][0]["told"] == {"zh": "已纳入低保", "en": "on roll now"}
        assert delivered["sequence"] >= 1
        page = await client.get(f"/tracking/{REFERRAL}", headers=PAGE)
        text = (await client.get(f"/tracking/{REFERRAL}.json")).text + page.text
    assert NAME not in text
    assert NUMBER not in text
    assert "在保人员由医疗救助项目跟进" in page.text


async def test_an_unknown_matter_is_said_to_be_unknown(door):
    async with door.client("operator:duty") as client:
        assert (await client.get("/tracking/nothing-here")).status_code == 404
        page = await client.get("/tracking/%3Cscript%3E", headers=PAGE)
        assert page.status_code == 404
        assert "<script>" not in page.text


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_a_form_takes_a_record_and_shows_its_number(door, lang):
    path = "/forms/village/reports"
    async with door.client() as client:
        assert (await client.get(path, headers=PAGE)).headers["location"] == f"/login?next={path}"
        await login(client, door.key("department:village"), path)
        page = (await client.get(path, params={"lang": lang}, headers=PAGE)).text
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
        typed = hidden | {
            "report_no": f"F-{lang}", "kind": "need", "village": "320682001001", "on": "2025-03-01",
            "name": NAME, "id_number": "990682199001011233", "need": "illness",
        }  # fmt: skip
        wrong = await client.post(path, data=typed)
        assert wrong.status_code == 422
        assert "field wrong" in wrong.text
        forged = await client.post(path, data=typed | {"form-token": "0" * 64})
        assert forged.status_code == 403
        done = await client.post(path, data=typed | {"id_number": NUMBER})
    assert done.status_code == 202, done.text
    record = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", done.text)[0]
    kept = {
        dict(r.headers)["ce_id"].decode(): dict(r.headers)
        for r in await door.records("in.village.reports")
    }
    assert kept[record]["ce_authtype"] == b"user"


async def test_another_departments_form_stays_closed(door):
    async with door.client() as client:
        await login(client, door.key("department:health"))
        answer = await client.get("/forms/village/reports", headers=PAGE)
    assert answer.status_code == 303
