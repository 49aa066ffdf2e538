"""The shipped dashboard against Grafana's own schema and Prometheus' own parser.

Grafana itself is no package of the registries that this project builds from; its schema is.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client import generate_latest

from hub.gateway.metrics import Metrics
from hub.monitoring.shipping import dashboard
from hub.runtime import metrics as worker_metrics
from hub.runtime.sampler_pages import Exposition
from tests.console.pictured import troubled
from tests.monitoring.test_shipped_rules import NOW, needs_promtool

_COLUMNS = 24
_BY = re.compile(r"\bby \(([^)]*)\)")


def unknown(given: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Paths of what Grafana's schema did not keep as it was given."""
    if isinstance(given, dict):
        for key, value in given.items():
            if not isinstance(kept, dict) or key not in kept:
                yield f"{path}/{key}"
            else:
                yield from unknown(value, kept[key], f"{path}/{key}")
    elif isinstance(given, list):
        if not isinstance(kept, list) or len(kept) != len(given):
            yield path
        else:
            for place, (a, b) in enumerate(zip(given, kept, strict=True)):
                yield from unknown(a, b, f"{path}/{place}")
    elif given != kept:
        yield path


def through_schema(given: dict[str, Any]) -> dict[str, Any]:
    """A dashboard as Grafana's schema reads and writes it."""
    plugins.register_default_plugins()
    kept: dict[str, Any] = json.loads(JSONEncoder().encode(Dashboard.from_json(given)))
    return kept


def test_grafanas_schema_knows_every_field_of_the_dashboard() -> None:
    given = json.loads(json.dumps(dashboard()))
    assert list(unknown(given, through_schema(given))) == []


@pytest.mark.parametrize("where", ["targets", "gridPos", "fieldConfig", ""])
def test_a_field_that_grafana_does_not_know_would_be_found(where: str) -> None:
    given = json.loads(json.dumps(dashboard()))
    panel = given["panels"][0]
    inner = panel[where] if where else panel
    (inner[0] if isinstance(inner, list) else inner)["legend_format"] = "x"
    assert [path.rpartition("/")[2] for path in unknown(given, through_schema(given))] == [
        "legend_format"
    ]


def test_panels_have_ids_of_their_own_and_do_not_cover_each_other() -> None:
    panels = dashboard()["panels"]
    assert len({one["id"] for one in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for one in panels:
        at = one["gridPos"]
        assert at["x"] + at["w"] <= _COLUMNS
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"])
               for y in range(at["y"], at["y"] + at["h"])}  # fmt: skip
        assert not cells & own
        cells |= own


def test_every_panel_asks_the_data_source_that_is_chosen() -> None:
    found = dashboard()
    names = {one["name"] for one in found["templating"]["list"] if one["type"] == "datasource"}
    used = {one["datasource"]["uid"] for one in found["panels"]}
    assert used == {f"${{{name}}}" for name in names}


@needs_promtool
def test_prometheus_parses_every_query_of_a_panel(tmp_path: Path) -> None:
    asked = [target["expr"] for one in dashboard()["panels"] for target in one["targets"]]
    rules = [{"record": f"panel_{n}", "expr": expr} for n, expr in enumerate(asked)]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    found = subprocess.run(
        ["promtool", "check", "rules", path], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{len(asked)} rules found" in found.stdout


def labels_by_metric() -> dict[str, set[str]]:
    """Metric → labels of its samples in the sampler's, a worker's and the gateway's scrape."""
    worker_metrics.EVENTS.labels("intake", "forwarded")
    exposition, gateway = Exposition(lambda: NOW), Metrics()
    exposition.picture, exposition.alerts = troubled(NOW), {("r", "bad"): 1}
    gateway.accepted.labels(topic="in.health.admissions")
    text = generate_latest(exposition.registry) + generate_latest() + gateway.exposition()
    found: dict[str, set[str]] = {}
    for name, inside in re.findall(r"^(hub_\w+)\{([^}]*)\}", text.decode(), re.MULTILINE):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', inside))
    return found


def test_every_label_of_a_legend_is_a_label_of_what_is_asked() -> None:
    known = labels_by_metric()
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            wanted = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            metrics = re.findall(r"\bhub_\w+", target["expr"])
            has = set.intersection(*(known.get(name, set()) for name in metrics))
            by = _BY.search(target["expr"])
            kept = {one.strip() for one in by[1].split(",")} if by else has
            assert wanted <= kept & has, target
