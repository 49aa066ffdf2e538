"""Expressions: which metrics the shipped rules and panels read."""

from __future__ import annotations

import re
from collections.abc import Iterable

import yaml

from hub.monitoring.shipping import dashboard, rules

_METRIC = re.compile(r"\bhub_[a-z0-9_]+")


def _names(expressions: Iterable[str]) -> set[str]:
    return {name for text in expressions for name in _METRIC.findall(text)}


def metrics_of_rules() -> set[str]:
    """Names of series that a rule reads."""
    groups = yaml.safe_load(rules())["groups"]
    return _names(rule["expr"] for group in groups for rule in group["rules"])


def metrics_of_panels() -> set[str]:
    """Names of series that a panel reads."""
    return _names(t["expr"] for panel in dashboard()["panels"] for t in panel["targets"])
