"""The shipped Prometheus rules, on series captured from real incidents, and the dashboard."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import generate_latest

from hub.gateway.metrics import Metrics
from hub.monitoring.findings import kinds
from hub.monitoring.shipping import dashboard, rules, write
from hub.runtime import metrics as worker_metrics
from hub.runtime.sampler_pages import Exposition
from tests.console.pictured import troubled
from tests.monitoring.capture import notation
from tests.monitoring.expressions import metrics_of_panels, metrics_of_rules

INCIDENTS = sorted((Path(__file__).parent / "incidents").glob("*.yml"))
PROMTOOL = shutil.which("promtool")
NOW = 1_772_442_300_000
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="left out: promtool (Debian package prometheus) is not installed"
)


def scraped() -> set[str]:
    """Names of samples that the sampler's, a worker's and the gateway's scrape show."""
    assert worker_metrics.LAG
    exposition = Exposition(lambda: NOW)
    picture = troubled(NOW)
    exposition.picture, exposition.alerts = picture, {("r", "bad"): 1}
    picture.failed["hops"] = "TimeoutError"
    exposition.notices.labels("mail", "failed").inc()
    sampler = generate_latest(exposition.registry).decode()
    found = set(re.findall(r"^(hub_\w+)[{ ]", sampler, re.MULTILINE))
    others = generate_latest().decode() + Metrics().exposition().decode()
    # A counter with labels that nothing has counted yet shows its type only.
    return found | set(re.findall(r"^# TYPE (hub_\w+) ", others, re.MULTILINE))


def test_every_metric_of_a_rule_or_panel_is_in_a_scrape() -> None:
    assert metrics_of_rules() - scraped() == set()
    assert metrics_of_panels() - scraped() == set()
    assert len(metrics_of_panels()) > 20


def test_a_scrape_says_what_the_picture_says_and_names_no_kind_that_does_not_exist() -> None:
    exposition = Exposition(lambda: NOW + 3000)
    exposition.picture = troubled(NOW)
    text = generate_latest(exposition.registry).decode()
    assert "hub_picture_age_seconds 3.0" in text
    assert 'hub_group_lag{group="hub.decide",topic="event.health"} 42.0' in text
    assert 'hub_group_status{group="hub.decide",topic="event.health"} 5.0' in text
    assert 'hub_item_silent{department="health",item="admissions"} 1.0' in text
    assert 'hub_program_waiting{program="electricity-relief",stage="waiting"} 36.0' in text
    assert 'hub_dead_letters{code="E-DATE",department="education"} 40.0' in text
    assert 'hub_hop_seconds{hop="delivered",quantile="0.95"} 0.3' in text
    assert set(re.findall(r'hub_findings{kind="(\w+)"', text)) <= kinds().keys()


def test_rules_and_dashboard_are_written_to_a_folder(tmp_path: Path) -> None:
    written = {path.name for path in write(tmp_path / "out")}
    assert written == {"alerts.yml", "dashboard.json"}
    assert yaml.safe_load((tmp_path / "out" / "alerts.yml").read_text("utf-8"))["groups"]
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in dashboard()["panels"]]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([1, 1, 1, 2], "1x2 2"),
        ([None, None, 3], "_x2 3"),
        ([0.5], "0.5"),
        ([1, None, None, 2], "1 stale _x1 2"),
    ],
)
def test_series_are_written_as_promtool_reads_them(
    values: list[float | None], written: str
) -> None:
    assert notation(values) == written


@needs_promtool
def test_promtool_accepts_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yml"
    path.write_text(rules(), "utf-8")
    found = subprocess.run(
        ["promtool", "check", "rules", path], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_there_are_incidents_and_each_expects_an_alert() -> None:
    assert len(INCIDENTS) >= 2
    for path in INCIDENTS:
        (test,) = yaml.safe_load(path.read_text("utf-8"))["tests"]
        assert any(one["exp_alerts"] for one in test["alert_rule_test"]), path.name


@needs_promtool
@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda path: path.stem)
def test_the_rules_fire_on_what_a_real_incident_showed(incident: Path, tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(rules(), "utf-8")
    here = tmp_path / incident.name
    shutil.copy(incident, here)
    found = subprocess.run(
        ["promtool", "test", "rules", here], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
