"""Shipping: the Prometheus rules and the Grafana dashboard that come with the hub."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

RULES = "alerts.yml"
DASHBOARD = "dashboard.json"
_WIDTH, _HEIGHT = 8, 7
_PANELS: tuple[tuple[str, str, str, str], ...] = (
    ("What is wrong · 异常", "sum by (kind, who) (hub_findings)", "{{kind}} {{who}}", "short"),
    ("Alerts that fire · 告警", "sum by (rule) (hub_alerts_firing)", "{{rule}}", "short"),
    ("Age of the picture · 采样年龄", "hub_picture_age_seconds", "age", "s"),
    ("Records per second by stage · 各环节速率", "hub_stage_rate", "{{stage}}", "short"),
    ("Lag · 积压", "sum by (group, topic) (hub_group_lag)", "{{group}} {{topic}}", "short"),
    ("Time lag · 时间滞后", "hub_group_late_seconds", "{{topic}}", "s"),
    ("State of streams · 流状态", "hub_group_status", "{{group}} {{topic}}", "short"),
    ("95 % of each hop · 各跳 p95", 'hub_hop_seconds{quantile="0.95"}', "{{hop}}", "s"),
    ("Latency budget · 时延余量", "hub_latency_budget_burn", "burn", "short"),
    ("Departments silent · 静默部门", "hub_item_silent_seconds", "{{department}} {{item}}", "s"),
    ("From departments · 部门来数", "hub_item_rate", "{{department}} {{item}}", "short"),
    ("Connectors · 连接器", "hub_connector_state == 1", "{{department}} {{state}}", "short"),
    ("Before programs · 待收", "sum by (program) (hub_program_waiting)", "{{program}}", "short"),
    ("Oldest copy that waits · 最早待收", "hub_program_oldest_seconds", "{{program}}", "s"),
    ("Parked and breakers · 搁置与断路", "hub_program_parked + hub_program_breaker_open",
     "{{program}}", "short"),
    ("Dead letters · 死信", "hub_dead_letters", "{{department}} {{code}}", "short"),
    ("Past the clock · 超时限", "hub_overdue", "overdue", "short"),
    ("Workers · 工作进程", "hub_workers", "workers", "short"),
    ("Outbox · 发件箱", "hub_outbox_copies", "copies", "short"),
    ("Brokers · 代理", "hub_brokers", "up", "short"),
    ("Database connections · 数据库连接", "hub_database_connections", "in use", "short"),
    ("Delivered per second · 投递速率", "rate(hub_program_delivered_total[1m])", "{{program}}",
     "short"),
    ("Worker: records by stage · 工作进程", "sum by (stage) (rate(hub_events_total[1m]))",
     "{{stage}}", "short"),
    ("Gateway: records taken · 网关", "sum by (topic) (rate(hub_gateway_accepted_total[1m]))",
     "{{topic}}", "short"),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """Grafana's dashboard; its data source is chosen in Grafana."""
    source = {"type": "prometheus", "uid": "${source}"}
    panels = [
        {
            "id": place + 1,
            "type": "timeseries",
            "title": title,
            "datasource": source,
            "gridPos": {
                "x": place % 3 * _WIDTH,
                "y": place // 3 * _HEIGHT,
                "w": _WIDTH,
                "h": _HEIGHT,
            },
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "targets": [{"refId": "A", "expr": expr, "legendFormat": legend}],
        }
        for place, (title, expr, legend, unit) in enumerate(_PANELS)
    ]
    choice = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": "assistance-hub",
        "title": "社会救助枢纽 · Assistance hub",
        "tags": ["hub"],
        "timezone": "Asia/Shanghai",
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [choice]},
        "panels": panels,
    }


def rules() -> str:
    """Prometheus' rules as YAML."""
    return (files("hub.monitoring") / "shipped" / RULES).read_text("utf-8")


def write(folder: Path) -> Iterator[Path]:
    """Write rules and dashboard.

    Yields:
        Each file written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = msgspec.json.format(msgspec.json.encode(dashboard()), indent=2).decode()
    for name, text in ((RULES, rules()), (DASHBOARD, drawn + "\n")):
        path = folder / name
        path.write_text(text, "utf-8")
        yield path
