"""Browsing topics: what is found, what stays masked, and what stays on record."""

from __future__ import annotations

import csv
import io
import re

import httpx
import orjson
import pytest

from hub.console import topics
from hub.console.filters import Filter
from hub.kernel.errors import DataError
from tests.console.conftest import Rig, token
from tests.console.streams import IDS, NAME, NUMBER, PHONE, TOPICS, Sent, copy, fill, need, raw

NEED, REPORTS, INBOX = TOPICS
SECRETS = (NAME, NUMBER, PHONE, "fefefefe")


def _places(answer: httpx.Response) -> list[str]:
    return re.findall(r'class="mono" href="/topics/[^"]*">(\d+@\d+)<', answer.text)


async def _filtered(browser: httpx.AsyncClient, text: str, topic: str = NEED) -> httpx.Response:
    csrf = token(await browser.get("/me"))
    form = {"csrf": csrf, "mode": "oldest", "filter": text}
    return await browser.post(f"/topics/{topic}", data=form, follow_redirects=True)


async def test_records_are_browsed_from_every_beginning(rig: Rig) -> None:
    await fill(rig, [Sent(NEED, need(n), part=n % 2) for n in range(8)])
    browser = await rig.signed_in("operator")
    newest = await browser.get(f"/topics/{NEED}")
    assert sorted(_places(newest)) == [f"{part}@{off}" for part in (0, 1) for off in range(4)]
    assert _places(newest)[0] == "1@3"
    oldest = await browser.get(f"/topics/{NEED}", params={"mode": "oldest"})
    assert _places(oldest) == _places(newest)[::-1]
    some = {"mode": "offset", "at": "2", "part": "1"}
    assert _places(await browser.get(f"/topics/{NEED}", params=some)) == ["1@2", "1@3"]
    past = {"mode": "time", "at": "2001-01-01T00:00"}
    assert len(_places(await browser.get(f"/topics/{NEED}", params=past))) == 8
    future = {"mode": "time", "at": "2199-01-01T00:00"}
    assert _places(await browser.get(f"/topics/{NEED}", params=future)) == []
    tail = (await browser.get(f"/topics/{NEED}", params={"mode": "tail"})).text
    assert 'hx-trigger="every 3s"' in tail


async def test_a_filter_on_an_id_number_or_a_name_finds_nothing(rig: Rig) -> None:
    await fill(rig, [Sent(NEED, need(0)), Sent(NEED, need(1, "ordinary"))])
    browser = await rig.signed_in("operator")
    for text in (
        f'record.groups.id.id_number == "{NUMBER}"',
        f'record.groups.id.name == "{NAME}"',
        f'record.groups.contact.phone.startsWith("{PHONE[:6]}")',
        f'"{NUMBER}" in record.groups.id.map(k, record.groups.id[k])',
    ):
        answer = await _filtered(browser, text)
        assert answer.url.query == b"", text
        assert "<b>2</b> 条已扫描 / <b>0</b> 条符合" in answer.text, text
    for text, found in (
        ('record.type == "need.discovered"', 2),
        (f'record.event_id == "{IDS[1]}"', 1),
        ('record.groups.id.id_number == "999999999999999999"', 2),
        ('key == "01abcdef" && offset == 1', 1),
        ('headers["none"] == "x"', 0),
        ("record.none.at.all", 0),
    ):
        answer = await _filtered(browser, text)
        assert f"/ <b>{found}</b> 条符合" in answer.text, text


async def test_an_address_never_holds_a_filter_that_may_name_a_person(rig: Rig) -> None:
    await fill(rig, [])
    browser = await rig.signed_in("operator")
    answer = await browser.get(f"/topics/{NEED}", params={"filter": f'record.n == "{NUMBER}"'})
    assert answer.status_code == 303
    assert NUMBER not in answer.headers["location"]
    answer = await browser.get(f"/topics/{NEED}", params={"mode": "offset", "at": NUMBER})
    assert NUMBER not in answer.text
    answer = await _filtered(browser, 'record.type == "a"')
    assert b"filter=" in answer.url.query


async def test_of_no_kind_of_record_a_person_is_shown(rig: Rig) -> None:
    headers = (("ce_type", b"x"), ("note", NUMBER.encode()), ("ce_id", NUMBER.encode()))
    await fill(
        rig,
        [
            Sent(NEED, need(0)),
            Sent(REPORTS, raw(姓名=NAME, 证件号码=NUMBER, 电话=PHONE), NUMBER.encode(), 0, headers),
            Sent(INBOX, copy("medical-aid")),
        ],
    )
    browser = await rig.signed_in("operator")
    for topic, shown in ((NEED, "need.discovered"), (REPORTS, "字字字字"), (INBOX, "99999999")):
        text = (await browser.get(f"/topics/{topic}")).text
        text += (await browser.get(f"/topics/{topic}/0/0")).text
        assert shown in text
        for secret in SECRETS:
            assert secret not in text, (topic, secret)
    assert IDS[0] in (await browser.get(f"/topics/{NEED}/0/0")).text


async def test_what_cannot_be_decoded_keeps_its_bytes_for_those_who_may_reveal(rig: Rig) -> None:
    await fill(
        rig, [Sent(NEED, b"\x00\x00\x00\x00\x01\xff\xff"), Sent(NEED, b"\x00\x00\x0f\xff\xff")]
    )
    plain = await rig.signed_in("operator")
    text = (await plain.get(f"/topics/{NEED}")).text
    assert text.count("未解码") == 2
    assert "E-SCHEMA-ID" in text
    csrf = token(await plain.get("/me"))
    address = f"/topics/{NEED}/0/0/reveal"
    form = {"csrf": csrf, "reason": "核对来电"}
    assert (await plain.post(address, data=form)).status_code == 403
    seer = await rig.signed_in("operator", extra=("reveal",))
    form["csrf"] = token(await seer.get("/me"))
    assert "00 00 00 00 01 ff ff" not in (await seer.post(address, data=form | {"reason": ""})).text
    assert "00 00 00 00 01 ff ff" in (await seer.post(address, data=form)).text
    rows = await rig.fetch(
        "SELECT actor, doc->>'reason', doc->>'target' FROM audit WHERE kind = 'message.revealed'"
    )
    assert [tuple(row) for row in rows] == [("operator2", "核对来电", f"{NEED}/0/0")]


async def test_an_export_is_masked_safe_for_spreadsheets_and_on_record(rig: Rig) -> None:
    await fill(rig, [Sent(REPORTS, raw(姓名=NAME, n=n), b"=cmd") for n in range(3)])
    browser = await rig.signed_in("operator")
    form = {"csrf": token(await browser.get("/me")), "mode": "oldest"}
    answer = await browser.post(f"/topics/{REPORTS}/export", data=form)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 3
    assert all(NAME not in row["record"] and "字字字字" in row["record"] for row in rows)
    answer = await browser.post(f"/topics/{REPORTS}/export", data=form | {"format": "json"})
    assert [row["record"]["姓名"] for row in orjson.loads(answer.content)] == ["字字字字"] * 3
    found = await rig.fetch("SELECT doc->>'rows' FROM audit WHERE kind = 'messages.exported'")
    assert [row[0] for row in found] == ["3", "3"]


async def test_a_walk_is_bounded_and_says_how_far_it_came(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(rig, [Sent(REPORTS, raw(n=n), part=n % 2) for n in range(70)])
    browser = await rig.signed_in("operator")
    text = (await browser.get(f"/topics/{REPORTS}")).text
    assert "<b>50</b> 条已扫描 / <b>50</b> 条符合" in text
    assert "提前停止" in text
    text = (await _filtered(browser, 'key == "none"', REPORTS)).text
    assert "<b>70</b> 条已扫描 / <b>0</b> 条符合" in text
    assert "已到末尾" in text
    monkeypatch.setattr(topics, "SHOWN", 5)
    text = (await browser.get(f"/topics/{REPORTS}")).text
    assert "<b>5</b> 条已扫描 / <b>5</b> 条符合" in text


async def test_figures_only_roles_see_the_declaration_and_no_record(rig: Rig) -> None:
    await fill(rig, [Sent(NEED, need(0))])
    for role in ("viewer", "auditor", "admin"):
        browser = await rig.signed_in(role)
        answer = await browser.get(f"/topics/{NEED}")
        assert answer.status_code == 200
        assert _places(answer) == []
        assert (await browser.get(f"/topics/{NEED}/0/0")).status_code == 403
        form = {"csrf": token(answer)}
        assert (await browser.post(f"/topics/{NEED}/export", data=form)).status_code == 403


async def test_a_tail_is_on_record_once_a_minute(rig: Rig) -> None:
    await fill(rig, [Sent(NEED, need(0))])
    browser = await rig.signed_in("operator")
    for mode in ("tail", "tail", "newest", "newest"):
        await browser.get(f"/topics/{NEED}", params={"mode": mode})
    rows = await rig.fetch("SELECT doc->>'mode' FROM audit WHERE kind = 'messages.browsed'")
    assert sorted(row[0] for row in rows) == ["newest", "newest", "tail"]


@pytest.mark.parametrize("text", ["record.", "1 + 1", "nothing == 1", "x" * 401])
def test_a_filter_that_cannot_be_used_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(DataError) as caught:
        Filter(text)
    assert caught.value.detail


def test_a_filter_that_runs_for_ever_matches_nothing() -> None:
    many = f"[{','.join('1' * 40)}]"
    endless = Filter(f"{many}.all(a, {many}.all(b, {many}.all(c, {many}.all(d, d > 0))))")
    values = {"record": {}, "headers": {}, "key": "", "offset": 0, "partition": 0}
    assert not endless(values)
