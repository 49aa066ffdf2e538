"""Alert rules: which findings alert somebody, when, and how often; not where to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec
import yaml

from hub.monitoring.findings import SEVERITIES, Finding

PERS = ("matter", "who", "rule")
DAY = 86_400
DEAD = "sampler-dead"
"""The rule for the end of alerting itself; worker and gateway judge it."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"for_": "for"}):
    """One rule; spans are seconds.

    Attributes:
        kinds: Kinds of findings that it looks at.
        severity: What its alerts are.
        for_: A finding must last so long first.
        clear: It must be gone so long before the alert is resolved.
        per: One alert per ``matter``, ``who`` or ``rule``.
        per_hour: Messages at most; further alerts show on the page only.
        again: Told once more after so long; 0: never.
        who: Only these departments and programs; empty: all.
        resolve: Whether its end is told.
        disabled: Whether it rests.
    """

    zh: str
    en: str
    kinds: tuple[str, ...]
    severity: str
    for_: int = 60
    clear: int = 30
    per: str = "matter"
    per_hour: int = 20
    again: int = DAY
    who: tuple[str, ...] = ()
    resolve: bool = True
    disabled: bool = False

    def takes(self, finding: Finding) -> bool:
        """Whether it looks at a finding."""
        return finding.kind in self.kinds and (not self.who or finding.who in self.who)

    def key(self, finding: Finding) -> str:
        """Findings of one key are one alert."""
        return {"matter": finding.key, "who": finding.who}.get(self.per, "")


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"for_": "for"}):
    """What an administrator changed about a shipped rule; None: as shipped."""

    severity: str | None = None
    for_: int | None = None
    per_hour: int | None = None
    again: int | None = None
    resolve: bool | None = None
    who: tuple[str, ...] | None = None
    disabled: bool | None = None


@cache
def shipped() -> Mapping[str, Rule]:
    """Rules as they come."""
    text = (files("hub.monitoring") / "alert_rules.yaml").read_text("utf-8")
    return msgspec.convert(yaml.safe_load(text), dict[str, Rule])


def in_force(changes: Mapping[str, Change]) -> dict[str, Rule]:
    """The shipped rules with an administrator's changes."""
    found = {}
    for name, rule in shipped().items():
        change = changes.get(name)
        values = {} if change is None else msgspec.structs.asdict(change)
        given = {key: value for key, value in values.items() if value is not None}
        found[name] = msgspec.structs.replace(rule, **given)
    return found


def at_least(severity: str, least: str) -> bool:
    """Whether something is as bad as asked, or worse."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)
