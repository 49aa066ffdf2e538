"""From an ID number to a person's matters, with nothing of the number left behind."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx
import pytest

from hub.gateway import lookups as served_lookups
from hub.gateway.keys import Principal, issue
from hub.gateway.servers import Served, serving
from hub.kernel.person_keys import UidKey
from hub.kernel.resident_ids import check_character
from hub.kernel.secrets import Secrets
from hub.store import alarms
from hub.store.connections import close, connect
from tests.console.conftest import Rig, token

NUMBER = "99068219860520031"
NUMBER += check_character(NUMBER)
REASON = "核对来电"


class Door(NamedTuple):
    """The console with a gateway that serves look-ups, and the person's uid."""

    rig: Rig
    served: Served
    uid: bytes


@pytest.fixture
async def door(rig: Rig) -> AsyncIterator[Door]:
    """A console that may look persons up."""
    connection = await connect(rig.database)
    _, key = await issue(connection, Principal("operator", "console"), now=0)
    settings = rig.settings.model_copy(update={"gateway_port": 0, "gateway_lookups": True})
    uid = UidKey(Secrets.load(settings, ("k_uid",)).k_uid).uid(NUMBER)
    await connection.execute(
        "INSERT INTO referral (id, program, subject_kind, subject_ref, episode, uid, state,"
        " correlation, rule, opened_at, spell_from, history, rev)"
        " VALUES ('REF-1', 'medical-aid', 'person', 's', 'e', $1, 'created', 'c', 'r', 5, 0, '[]', 1)",
        uid,
    )
    await close(connection)
    async with serving(settings, kafka=settings.kafka, database=rig.database) as served:
        rig.console.settings = settings.model_copy(
            update={"console_lookup": served.url, "console_lookup_key": key}
        )
        yield Door(rig, served, uid)


async def _search(browser: httpx.AsyncClient, number: str, reason: str = REASON) -> httpx.Response:
    csrf = token(await browser.get("/people"))
    return await browser.post("/people", data={"csrf": csrf, "number": number, "reason": reason})


async def test_a_number_leads_to_the_matters_and_is_left_nowhere(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = await door.rig.signed_in("operator")
    answer = await _search(browser, NUMBER)
    assert 'href="/journey/REF-1"' in answer.text
    assert "医疗救助" in answer.text
    assert answer.url.query == b""
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"{door.served.url}/metrics")).text
    left = [answer.text, metrics, caplog.text, str(answer.url)]
    rows = await door.rig.fetch("SELECT kind, actor, doc::text, uid FROM audit")
    left += [row["doc"] for row in rows]
    for text in left:
        assert NUMBER not in text
        assert NUMBER[:17] not in text
        assert door.uid.hex() not in text
    kept = [(row["actor"], row["uid"]) for row in rows if row["kind"] == "person.looked_up"]
    assert kept == [("operator1", door.uid)]
    auditor = await door.rig.signed_in("auditor")
    page = (await auditor.get("/audit", params={"kind": "reads"})).text
    assert REASON in page
    assert door.uid.hex() not in page


async def test_what_hangs_on_the_household_alone_is_found_from_each_member(door: Door) -> None:
    await door.rig.fetch(
        "INSERT INTO person (uid, households, facts, identity, rev)"
        " VALUES ($1, '[\"H-1\"]', '[]', '{}', 1)",
        door.uid,
    )
    await door.rig.fetch(
        "INSERT INTO referral (id, program, subject_kind, subject_ref, episode, uid, household,"
        " state, correlation, rule, opened_at, spell_from, history, rev)"
        " SELECT id, 'housing-aid', 'house', id, 'e', uid, home, 'created', 'c', 'r', 6, 0, '[]', 1"
        " FROM (VALUES ('REF-2', NULL::bytea, 'H-1'), ('REF-3', '\\x01'::bytea, 'H-1'),"
        " ('REF-4', NULL, 'H-2')) AS row (id, uid, home)"
    )
    browser = await door.rig.signed_in("operator")
    text = (await _search(browser, NUMBER)).text
    found = [name for name in ("REF-1", "REF-2", "REF-3", "REF-4") if f"/journey/{name}" in text]
    assert found == ["REF-1", "REF-2"]


async def test_without_a_reason_or_a_right_number_nobody_is_looked_up(door: Door) -> None:
    browser = await door.rig.signed_in("operator")
    for number, reason in (
        (NUMBER, ""),
        (NUMBER, f"查 {NUMBER}"),
        (NUMBER[:-1], REASON),
        ("x", REASON),
    ):
        answer = await _search(browser, number, reason)
        assert 'role="alert"' in answer.text
        assert NUMBER[:17] not in answer.text
    assert await door.rig.fetch("SELECT 1 FROM audit WHERE kind = 'person.looked_up'") == []


async def test_only_the_consoles_key_opens_a_look_up_and_only_where_it_is_served(
    door: Door,
) -> None:
    connection = await connect(door.rig.database)
    _, other = await issue(connection, Principal("operator", "li"), now=0)
    await close(connection)
    body = {"id_number": NUMBER, "actor": "li", "reason": REASON}
    async with httpx.AsyncClient(base_url=door.served.url) as client:
        assert (await client.post("/lookups/person", json=body)).status_code == 401
        head = {"Authorization": f"Bearer {other}"}
        assert (await client.post("/lookups/person", json=body, headers=head)).status_code == 403
        door.served.gateway.settings = door.served.gateway.settings.model_copy(
            update={"gateway_lookups": False}
        )
        assert (await client.post("/lookups/person", json=body, headers=head)).status_code == 404


async def test_many_look_ups_of_one_account_are_refused_and_raise_an_alarm(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_lookups, "PER_MINUTE", 5)
    monkeypatch.setattr(served_lookups, "IN_VAIN", 3)
    browser = await door.rig.signed_in("operator")
    nobody = "99068219860520033"
    nobody += check_character(nobody)
    for _ in range(5):
        assert "没有关于此人的事项" in (await _search(browser, nobody)).text
    assert "一分钟内查询过多" in (await _search(browser, nobody)).text
    other = await door.rig.signed_in("operator")
    assert "REF-1" in (await _search(other, NUMBER)).text
    connection = await connect(door.rig.database)
    standing = await alarms.standing(connection)
    await close(connection)
    assert [(one.kind, one.place, one.count) for one in standing] == [
        ("persons_enumerated", "operator1", 3)
    ]
    assert nobody not in str(standing)


async def test_the_console_holds_no_k_uid(door: Door) -> None:
    secret = Secrets.load(door.rig.settings, ("k_uid",)).k_uid
    seen: set[int] = set()

    def walk(thing: object, depth: int) -> None:
        if id(thing) in seen or depth > 6:
            return
        seen.add(id(thing))
        assert thing not in (secret, secret.hex())
        for inside in getattr(thing, "__dict__", {}).values():
            walk(inside, depth + 1)

    walk(door.rig.console, 0)


async def test_viewers_search_no_person(door: Door) -> None:
    browser = await door.rig.signed_in("viewer")
    assert (await browser.get("/people")).status_code == 403
