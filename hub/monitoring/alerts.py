"""Alerts: from the findings of a picture and what stands already to what begins, ends and is told.

Pure: the sampler gives what is on record and writes what comes out. An alert *waits* until the span
of its rule has passed, *fires*, and is *resolved* once it has been gone for a while. A picture of
which parts could not be read resolves nothing: what cannot be seen is not mended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from hub.monitoring.alert_rules import DEAD, Rule, at_least
from hub.monitoring.findings import Finding, kinds

HOUR_MS = 3_600_000
FIRING, RESOLVED = "firing", "resolved"


class Alert(msgspec.Struct):
    """One alert on record; instants are ms since 1970.

    Attributes:
        id: 0 before it is on record.
        since: When the finding was first seen.
        fired: When it had lasted for long enough; None: it waits.
        gone: Since when the finding is gone; None: it is there.
        told: When channels were last told; None: never.
        resolved: When it ended.
        muted: Whether the last word about it was kept back by a mute.
        held_back: Whether it was kept back because the rule had told too much.
    """

    rule: str
    key: str
    severity: str
    finding: Finding
    since: int
    id: int = 0
    fired: int | None = None
    gone: int | None = None
    told: int | None = None
    resolved: int | None = None
    muted: bool = False
    held_back: bool = False


class Mute(msgspec.Struct, frozen=True):
    """A span in which alerts are shown, but nobody is told; empty texts mean all.

    Attributes:
        rule: Only this rule's.
        who: Only this department's or program's.
    """

    rule: str
    who: str
    start: int
    end: int

    def covers(self, alert: Alert, now: int) -> bool:
        """Whether it keeps an alert back now."""
        here = self.start <= now < self.end
        return here and self.rule in {"", alert.rule} and self.who in {"", alert.finding.who}


class Target(msgspec.Struct, frozen=True):
    """What a channel wants to be told.

    Attributes:
        least: Severity at least.
        rules: Only these; empty: all.
    """

    channel: str
    least: str
    rules: tuple[str, ...] = ()

    def wants(self, alert: Alert) -> bool:
        """Whether it is told of an alert."""
        chosen = not self.rules or alert.rule in self.rules
        return chosen and at_least(alert.severity, self.least)


class Notice(NamedTuple):
    """A word to send.

    Attributes:
        what: ``firing`` or ``resolved``.
        before: Alerts of the rule that the rate kept back in the last hour.
    """

    alert: Alert
    what: str
    before: int


class Step(NamedTuple):
    """What one picture changes."""

    changed: list[Alert]
    dropped: list[Alert]
    notices: list[Notice]


class Seen(NamedTuple):
    """One look at what is wrong.

    Attributes:
        whole: Whether everything could be read.
    """

    findings: Iterable[Finding]
    now: int
    whole: bool = True


def step(
    rules: Mapping[str, Rule],
    standing: Iterable[Alert],
    mutes: Iterable[Mute],
    told: Mapping[str, int],
    seen: Seen,
) -> Step:
    """Judge one picture.

    Args:
        rules: In force.
        standing: Alerts on record of these rules that wait or fire.
        mutes: On record.
        told: Rule → messages of the last hour.
        seen: The findings.
    """
    found = _found(rules, seen.findings)
    step = Step([], [], [])
    mutes, counts = list(mutes), dict(told)
    open_ = {(one.rule, one.key): one for one in standing}
    held = {r: sum(a.held_back for a in open_.values() if a.rule == r) for r in rules}
    for place, finding in found.items():
        alert = open_.pop(place, None) or Alert(
            place[0], place[1], rules[place[0]].severity, finding, seen.now
        )
        _present(alert, rules[alert.rule], finding, seen.now, step)
        if alert.fired is not None:
            _tell(alert, rules[alert.rule], mutes, counts, held, seen.now, step)
    for alert in open_.values():
        _absent(alert, rules[alert.rule], seen, step)
    return step


def _found(
    rules: Mapping[str, Rule], findings: Iterable[Finding]
) -> dict[tuple[str, str], Finding]:
    """The worst finding of each alert; findings come the worst first."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        for name, rule in rules.items():
            if not rule.disabled and rule.takes(finding):
                found.setdefault((name, rule.key(finding)), finding)
    return found


def _present(alert: Alert, rule: Rule, finding: Finding, now: int, step: Step) -> None:
    before = (alert.id, alert.fired, alert.gone, alert.severity)
    alert.gone, alert.severity = None, rule.severity
    if alert.fired is None and now - alert.since >= rule.for_ * 1000:
        alert.fired = now
    if before != (alert.id, alert.fired, alert.gone, alert.severity) or not alert.id:
        alert.finding = finding
        step.changed.append(alert)


def _tell(
    alert: Alert,
    rule: Rule,
    mutes: list[Mute],
    counts: dict[str, int],
    held: Mapping[str, int],
    now: int,
    step: Step,
) -> None:
    due = alert.told is None or (rule.again and now - alert.told >= rule.again * 1000)
    before = (alert.told, alert.muted, alert.held_back)
    alert.muted = any(mute.covers(alert, now) for mute in mutes)
    full = counts.get(alert.rule, 0) >= rule.per_hour
    alert.held_back = bool(due) and not alert.muted and full
    if due and not alert.muted and not full:
        counts[alert.rule] = counts.get(alert.rule, 0) + 1
        alert.told = now
        step.notices.append(Notice(alert, FIRING, max(0, held[alert.rule] - before[2])))
    if before != (alert.told, alert.muted, alert.held_back) and alert not in step.changed:
        step.changed.append(alert)


def _absent(alert: Alert, rule: Rule, seen: Seen, step: Step) -> None:
    if not rule.disabled and not seen.whole and alert.rule != DEAD:
        return
    if alert.fired is None:
        step.dropped.append(alert)
        return
    clear = 0 if rule.disabled else rule.clear * 1000
    if alert.gone is None:
        alert.gone = seen.now
    if seen.now - alert.gone >= clear:
        alert.resolved = seen.now
        if alert.told is not None and not alert.muted and rule.resolve:
            step.notices.append(Notice(alert, RESOLVED, 0))
    step.changed.append(alert)


def dead(age: int) -> Finding:
    """The finding that nobody samples any more.

    Args:
        age: Of the newest picture, ms.
    """
    return Finding("sampler_dead", kinds()["sampler_dead"].severity, ms=age, link="/workers")
