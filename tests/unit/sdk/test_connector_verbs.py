"""hub connectors: exit codes and JSON for programs."""

import json

import pytest

from hub.cli.main import main
from hub.kernel.settings import settings


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_CONNECTORS", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def run(capsys, *words):
    code = main(["connectors", *words])
    return code, capsys.readouterr().out


def test_a_new_connector_is_checked_and_listed(own, capsys):
    assert run(capsys, "new", "petition", "--folder", str(own))[0] == 0
    code, out = run(capsys, "check", "--json")
    assert (code, json.loads(out)["findings"]) == (0, [])
    code, out = run(capsys, "list", "--json")
    assert "in.petition.records" in {entry["topic"] for entry in json.loads(out)}
    code, out = run(capsys, "show", "petition", "--json")
    assert json.loads(out)["items"][0]["raw_schema"]["$id"] == "urn:gov:hub:raw:in.petition.records"


def test_check_tells_findings_and_ends_with_one(own, capsys):
    run(capsys, "new", "petition", "--folder", str(own))
    manifest = own / "petition" / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("mapping: record", "mapping: gone"))
    code, out = run(capsys, "check")
    assert code == 1
    assert "petition/records" in out
    assert "gone" in out


def test_an_example_that_went_otherwise_is_a_finding(own, capsys):
    run(capsys, "new", "petition", "--folder", str(own))
    fixtures = own / "petition" / "fixtures" / "records.yaml"
    fixtures.write_text(fixtures.read_text().replace("E-ID-CHECK", "E-ID-LENGTH"))
    code, out = run(capsys, "check")
    assert code == 1
    assert "校验码错误" in out


def test_an_unknown_connector_is_told(capsys):
    code = main(["connectors", "show", "astrology"])
    assert code == 2
