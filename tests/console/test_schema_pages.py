"""Schemas on screen: versions beside each other, users of a field, and the check before saving."""

from __future__ import annotations

import json
from typing import Any

from hub.console.schema_pages import side_by_side
from hub.contracts.catalogues import catalogue
from hub.contracts.registries import text_of
from tests.console.conftest import Rig, token

FILE = "events/need.discovered.avsc"


def _schema() -> Any:
    known = catalogue()
    return json.loads(text_of(known.schemas_by_id[known.schema_id(FILE)]))


async def test_a_schema_shows_its_fields_their_class_and_every_program_granted_them(
    rig: Rig,
) -> None:
    browser = await rig.signed_in("viewer")
    assert f'href="/schemas?file={FILE}"' in (await browser.get("/schemas")).text
    text = (await browser.get("/schemas", params={"file": FILE})).text
    row = text.partition(">id.id_number<")[2].partition("</tr>")[0]
    granted = [
        grant
        for grant in catalogue().grants.values()
        if any((one.group, one.field) == ("id", "id_number") for one in grant.fields)
    ]
    assert granted
    for grant in granted:
        assert f'href="/programs/{grant.program}"' in row
    assert "敏感" in row
    assert "event.need" in text
    assert (await browser.get("/schemas", params={"file": "events/none.avsc"})).status_code == 404


async def test_the_check_before_saving_gives_plain_reasons_in_both_languages(rig: Rig) -> None:
    browser = await rig.signed_in("viewer")
    csrf = token(await browser.get("/schemas"))
    wrong, right = _schema(), _schema()
    wrong["fields"].append({"name": "new_one", "type": "string"})
    right["fields"].append({"name": "new_one", "type": ["null", "string"], "default": None})
    form = {"csrf": csrf, "file": FILE, "text": json.dumps(wrong)}
    text = (await browser.post("/schemas", data=form)).text
    assert "不可采用" in text
    assert "读取方的字段没有默认值" in text
    english = (await browser.post("/schemas?lang=en", data=form)).text
    assert "has no default and the writer lacks it" in english
    form["text"] = text_of(right)
    text = (await browser.post("/schemas?lang=zh", data=form)).text
    assert "可以采用" in text
    assert 'class="mono new"' in text
    for broken in ("{", '{"type": "record", "name": "A", "fields": 3}', "[]", '{"type": "record"}'):
        answer = await browser.post("/schemas?lang=zh", data=form | {"text": broken})
        assert answer.status_code == 200
        assert 'role="alert"' in answer.text, broken


def test_two_texts_beside_each_other_tell_what_is_gone_and_what_is_new() -> None:
    old = "\n".join(["a", *map(str, range(20)), "b"])
    new = "\n".join(["a2", *map(str, range(20)), "b", "c"])
    rows = side_by_side(old, new)
    assert [(left.text, right.text) for left, right in rows if right.kind == "new"] == [
        ("a", "a2"),
        ("", "c"),
    ]
    assert any(left.text == "…" for left, _ in rows)
    assert len(rows) < 14
    assert side_by_side(old, old) == []
