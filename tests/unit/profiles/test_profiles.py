"""Profiles: every rule names document and dates, conditions are typed, columns are granted."""

import pytest
import yaml
from typer.testing import CliRunner

from hub.cli.profile import app
from hub.kernel.dates import days
from hub.kernel.errors import ConfigurationError
from hub.rosters.rows import columns
from hub.sdk.profiles import load_profile, places
from hub.sdk.rules import RuleEngine, RuleError

HEAD = {
    "place": "testplace",
    "zh": "测试",
    "en": "Test",
    "division": "320682",
    "version": "1",
    "roll": ["DIBAO"],
    "documents": {"d": {"title": "文件", "number": "1号", "date": "2020-01-01"}},
}
RIGHT = {
    "id": "T-1",
    "zh": "规则",
    "en": "Rule",
    "program": "medical-aid",
    "subject": "person",
    "document": "d",
    "effective_from": "2020-01-01",
}


def written(folder, head=None, **files):
    place = folder / (head or HEAD)["place"]
    place.mkdir(parents=True, exist_ok=True)
    (place / "profile.yaml").write_text(yaml.safe_dump({**HEAD, **(head or {})}), encoding="utf-8")
    for name, content in files.items():
        (place / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def refused(folder, right):
    with pytest.raises(ConfigurationError) as error:
        load_profile("testplace", written(folder, rights={"rights": [right]}))
    assert "辖区配置" in error.value.message_zh or "条件" in error.value.message_zh
    return str(error.value)


def test_the_shipped_profile_loads_and_its_columns_are_granted():
    profile = load_profile("rugao")
    assert profile.division == "320682"
    assert all(rule.document.number for rule in profile.rules.every())
    for rule in profile.rosters:
        assert columns(rule.id, rule.recipient, rule.columns)
    assert "rugao" in places()


@pytest.mark.parametrize("missing", ["document", "effective_from", "zh"])
def test_a_rule_without_document_or_dates_is_refused_by_name(tmp_path, missing):
    right = {key: value for key, value in RIGHT.items() if key != missing}
    assert "T-1" in refused(tmp_path, right)
    assert missing in refused(tmp_path, right)


def test_a_document_without_number_is_refused(tmp_path):
    assert "T-1" in refused(tmp_path, {**RIGHT, "document": {"title": "x", "date": "2020-01-01"}})


def test_an_unknown_key_is_refused_by_name(tmp_path):
    assert "efective_to" in refused(tmp_path, {**RIGHT, "efective_to": "2021-01-01"})
    with pytest.raises(ConfigurationError, match="wrongs"):
        load_profile("testplace", written(tmp_path, rights={"wrongs": []}))


def test_one_id_stands_for_one_rule(tmp_path):
    with pytest.raises(ConfigurationError, match="twice"):
        load_profile("testplace", written(tmp_path, rights={"rights": [RIGHT, RIGHT]}))


@pytest.mark.parametrize(
    "text", ["category > 3", "nothing == 'x'", "category", "size +", "size / 2"]
)
def test_a_condition_with_a_type_error_is_refused_when_loaded(tmp_path, text):
    assert "T-1" in refused(tmp_path, {**RIGHT, "when": text})


def test_a_condition_decides_and_its_errors_are_not_taken_for_no():
    engine = RuleEngine({"size": "int", "category": "string"})
    condition = engine.compile("category == 'DIBAO' && size > 2", "x")
    assert condition({"size": 3, "category": "DIBAO"})
    assert not condition({"size": 2, "category": "DIBAO"})
    with pytest.raises(RuleError):
        engine.compile("10 / size > 1", "x")({"size": 0, "category": ""})


def test_text_is_counted_in_characters():
    assert RuleEngine({"name": "string"}).compile("name.size() == 2", "x")({"name": "张三"})


def test_rules_are_in_force_by_date(tmp_path):
    rules = [
        {**RIGHT, "effective_to": "2024-01-01"},
        {**RIGHT, "id": "T-2", "effective_from": "2024-01-01"},
    ]
    profile = load_profile("testplace", written(tmp_path, rights={"rights": rules}))
    assert [rule.id for rule in profile.on(days("2023-12-31")).rights] == ["T-1"]
    assert [rule.id for rule in profile.on(days("2024-01-01")).rights] == ["T-2"]


def test_a_place_inherits_rules_and_replaces_those_with_the_same_id(tmp_path):
    written(tmp_path, rights={"rights": [RIGHT, {**RIGHT, "id": "T-2"}]})
    lower = {**HEAD, "place": "lower", "inherits": "testplace"}
    own = {**RIGHT, "program": "education-aid"}
    profile = load_profile("lower", written(tmp_path, lower, rights={"rights": [own]}))
    assert [(rule.id, rule.program) for rule in profile.rights] == [
        ("T-1", "education-aid"),
        ("T-2", "medical-aid"),
    ]


def test_a_column_that_is_not_granted_is_refused():
    with pytest.raises(ConfigurationError, match=r"diagnosis\.icd_code"):
        columns("R", "power-supply", ("diagnosis.icd_code",))


def test_an_unknown_place_is_refused():
    with pytest.raises(ConfigurationError, match="rugao"):
        load_profile("atlantis")


def test_the_command_checks_shows_and_explains():
    run = CliRunner().invoke
    assert run(app, ["check", "rugao"]).exit_code == 0
    shown = run(app, ["show", "rugao", "--on", "2025-04-01"])
    assert "RG-15.education-aid" in shown.output
    told = run(app, ["explain", "RG-15.education-aid", "--place", "rugao"])
    assert "HUB-320682-1" in told.output
    assert isinstance(run(app, ["explain", "RG-99"]).exception, ConfigurationError)
