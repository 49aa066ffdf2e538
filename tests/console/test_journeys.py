"""One matter on one timeline, and the search that leads to it."""

from __future__ import annotations

import orjson
import pytest

from hub.console import acts
from hub.store.connections import close, connect
from tests.console.conftest import Rig, token

EVENT = "0b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f42"
FACT = "1b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f42"
LETTER = "2b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f42"
NUMBER = "110101199003078515"


async def _matter(rig: Rig) -> str:
    """A decision that followed a rule, denied a program, and a dead letter; the rule's sentence."""
    rule = rig.console.profile.rules.rights[0]
    name, sentence = rule.id, rule.zh
    doc = {
        "because": [[name, "key", "2026.1", [FACT]]],
        "denied": [["education-aid", "deny.no_agreement"]],
        "copies": [["medical-aid"]],
    }
    connection = await connect(rig.database)
    await connection.execute(
        "INSERT INTO audit (at, kind, actor, event_id, type, doc)"
        " VALUES (1000, 'decision', 'hub', $1, 'category.granted', $2)",
        EVENT,
        orjson.dumps(doc).decode(),
    )
    await connection.execute(
        "INSERT INTO dead_letter (id, stage, topic, part, off, source, record_key, event_id, type,"
        " correlation, code, category, field, detail, attempts, first_failed_at,"
        " failed_at, state) VALUES ($1, 'decide', 'event.category', 0, 7, 'civil-affairs', 'R-1',"
        " $2, 'category.granted', $2, 'E-DATE', 'data', 'x', '', 1, 1, 2000, 'open')",
        LETTER,
        EVENT,
    )
    await acts.note(connection, "zhang", "message.read", now=3000, event_id=EVENT)
    await close(connection)
    return f"{sentence}|{name}"


async def test_the_journey_says_why_with_rule_version_and_facts_and_what_was_denied(
    rig: Rig,
) -> None:
    sentence, _, name = (await _matter(rig)).partition("|")
    browser = await rig.signed_in("viewer")
    text = (await browser.get(f"/journey/{EVENT}")).text
    assert name in text
    assert sentence in text
    assert "2026.1" in text
    assert f'href="/journey/{FACT}"' in text
    assert "没有服务协议" in text
    assert f'href="/letters/{LETTER}"' in text
    assert text.index("deny.no_agreement") < text.index(LETTER)
    assert "zhang" not in text
    unknown = await browser.get(f"/journey/{FACT}")
    assert unknown.status_code == 404
    assert "没有关于该编号的记录" in unknown.text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (EVENT, f"/journey/{EVENT}"),
        (LETTER, f"/letters/{LETTER}"),
        ("health", "/connectors/health"),
        ("卫生健康", "/connectors/health"),
        ("electricity-relief", "/programs/electricity-relief"),
        ("event.need", "/topics/event.need"),
        ("REF-1/2", "/journey/REF-1%2F2"),
    ],
)
async def test_the_search_leads_to_what_a_text_names(rig: Rig, text: str, place: str) -> None:
    await _matter(rig)
    browser = await rig.signed_in("viewer")
    csrf = token(await browser.get("/find"))
    answer = await browser.post("/find", data={"csrf": csrf, "ref": f" {text} "})
    assert answer.headers["location"] == place


async def test_a_persons_number_never_becomes_an_address(rig: Rig) -> None:
    browser = await rig.signed_in("viewer")
    csrf = token(await browser.get("/find"))
    for text in (NUMBER, "110101900307851", "1381 2345 678"):
        answer = await browser.post("/find", data={"csrf": csrf, "ref": text})
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert text not in answer.text
    answer = await browser.post("/find", data={"csrf": csrf, "ref": "没有这样的部门"})
    assert answer.status_code == 404
