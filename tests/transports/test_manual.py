"""Forms: what is asked, what is refused, one record however often it is sent."""

import orjson
import pytest

from hub.kernel.errors import ConfigurationError
from hub.sdk.ways import FormField, ManualOptions
from hub.transports.manual import FormRefused, body_of, form_of


class Item:
    id, zh, en, key = "report", "上报", "Report", ["report_no"]
    manual = ManualOptions(
        form=[
            FormField(name="who", zh="证件", en="ID", kind="id_number"),
            FormField(name="on", zh="日期", en="Date", kind="date"),
            FormField(name="month", zh="月份", en="Month", kind="month", required=False),
            FormField(name="sum", zh="金额", en="Sum", kind="number", required=False),
            FormField(
                name="kind",
                zh="类型",
                en="Kind",
                kind="choice",
                choices={"death": "死亡 / A death"},
            ),
        ]
    )


FORM = form_of(Item)
GOOD = {"who": "９９068219520101103x", "on": "2025年4月1日", "kind": "death", "other": "x"}


def test_a_form_tells_its_questions_in_two_languages():
    kind = FORM.inputs[-1]
    assert (kind.zh, kind.en, kind.required) == ("类型", "Kind", True)
    assert kind.choices[0] == ("death", "死亡", "A death")


def test_answers_become_one_body_however_often_they_are_sent():
    body = body_of(FORM, GOOD, "f-1", synthetic=True)
    assert orjson.loads(body) == {
        "report_no": "f-1",
        "who": "99068219520101103X",
        "on": "2025-04-01",
        "month": None,
        "sum": None,
        "kind": "death",
    }
    assert body == body_of(FORM, dict(reversed(GOOD.items())), "f-1", synthetic=True)


def test_every_wrong_answer_is_told_at_once():
    wrong = {"who": "990682195201011031", "on": "31.4.2025", "month": "2025-13", "sum": "many"}
    with pytest.raises(FormRefused) as found:
        body_of(FORM, wrong, "f-1", synthetic=True)
    assert [(finding.name, finding.code) for finding in found.value.findings] == [
        ("who", "E-ID-CHECK"),
        ("on", "E-DATE"),
        ("month", "E-DATE"),
        ("sum", "E-FIELD-TYPE"),
        ("kind", "E-FIELD-MISSING"),
    ]
    assert "校验码" in found.value.findings[0].zh


@pytest.mark.parametrize(("answer", "code"), [("birth", "E-CODE-UNKNOWN"), ("x" * 3000, "E-FIELD")])
def test_an_answer_that_was_not_offered_is_refused(answer, code):
    with pytest.raises(FormRefused, match=code):
        body_of(FORM, GOOD | {"kind": answer}, "f-1", synthetic=True)


def test_invented_people_are_refused_where_real_ones_are_on_record():
    with pytest.raises(FormRefused, match="E-ID-SYNTHETIC"):
        body_of(FORM, GOOD, "f-1", synthetic=False)


def test_an_item_without_form_says_so():
    class Bare(Item):
        manual = None

    with pytest.raises(ConfigurationError, match="no form"):
        form_of(Bare)
