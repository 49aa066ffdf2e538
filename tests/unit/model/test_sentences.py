"""Every reason has a sentence in both languages, and no sentence names a person."""

import re
from pathlib import Path

import pytest
from worlds import first_quarter, first_quarter_facts, poor_list, poor_list_facts

from hub.model.sentences import in_both, sentence, sentences

ROOT = Path(__file__).parents[3] / "hub"
DECIDERS = ("model", "referrals", "rosters", "casework", "deadletters", "routing")
KEY = re.compile(
    r'"((?:referral|reply|roster|receipt|list|case|task|decision|grant|effect|meter)\.[a-z_]+)"'
)
TYPES = re.compile(r"referral\.(created|stop_notified|review_requested|details_released|closed|accepted|rejected|completed|stop_answered)|roster\.(delta|snapshot|part|receipt)|case\.|task\.|decision\.recorded")  # fmt: skip


@pytest.mark.parametrize("world", [first_quarter, poor_list])
def test_every_reason_of_a_scenario_reads_in_both_languages(world):
    facts = first_quarter_facts() if world is first_quarter else poor_list_facts()
    run = world().send(*facts).at("2025-07-01T00:00:00")
    reasons = [*run.because, *(e.reason for e in run.effects if hasattr(e, "reason"))]
    assert reasons
    for reason in reasons:
        zh, en = in_both(reason)
        assert zh != en
        assert "{" not in zh + en
        assert "—" not in zh + en, (reason.key, zh)
        assert "测试" not in zh


def test_every_key_in_the_source_stands_in_the_catalogue():
    found = {
        key
        for package in DECIDERS
        for path in (ROOT / package).glob("*.py")
        for key in KEY.findall(path.read_text(encoding="utf-8"))
        if not TYPES.match(key)
    }
    assert found
    assert found <= set(sentences().sentences)


def test_every_disposition_and_task_has_its_sentence():
    from worlds import PROFILE

    from hub.casework import dispositions

    values = {value for name, value in vars(dispositions).items() if name.isupper()}
    assert {f"list.{value}" for value in values} <= set(sentences().sentences)
    tasks = {f"task.{rule.kind}" for rule in PROFILE.rules.tasks}
    assert tasks <= set(sentences().sentences)


def test_a_sentence_shows_labels_and_dates():
    run = first_quarter().send(*first_quarter_facts())
    (copy,) = run.copies("referral.created", "education-aid")
    assert sentence(copy.reason) == "自 2025-02-10 起符合低保条件,转介教育资助(按学生)。"
