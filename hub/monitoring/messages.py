"""Messages: the words of a notice in Chinese and English, for every channel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from hub.monitoring.alert_rules import Rule
from hub.monitoring.alerts import FIRING, Notice
from hub.monitoring.findings import Finding, words

Sentence = Callable[[Finding], tuple[str, str]]
"""A finding as a sentence, (Chinese, English)."""
TEST = "test"
LANGUAGES = ("zh", "en", "both")
_SEVERITY = {"warn": ("注意", "warning"), "bad": ("严重", "serious"), "worst": ("紧急", "critical")}
_WHAT = {FIRING: ("告警", "ALERT"), "resolved": ("已恢复", "RESOLVED"), TEST: ("测试", "TEST")}


class Words(msgspec.Struct, frozen=True):
    """Of one language: a title and lines below it."""

    title: str
    lines: list[str]


class Message(msgspec.Struct, frozen=True):
    """What a channel sends.

    Attributes:
        what: ``firing``, ``resolved`` or ``test``.
        at: ms since 1970.
        link: Path of the console's page.
    """

    what: str
    severity: str
    rule: str
    kind: str
    who: str
    at: int
    link: str
    zh: Words
    en: Words

    def words(self, language: str) -> list[Words]:
        """In the language of a channel, the Chinese first."""
        return {"zh": [self.zh], "en": [self.en]}.get(language, [self.zh, self.en])


def message(notice: Notice, rule: Rule, sentence: Sentence, at: datetime) -> Message:
    """The words of a notice.

    Args:
        notice: What to tell.
        rule: Its rule.
        sentence: Of a finding.
        at: Now, in the time zone of its readers.
    """
    alert, finding = notice.alert, notice.alert.finding
    near, (zh, en) = words(finding), sentence(finding)
    firing = notice.what == FIRING
    lines_zh = [f"规则:{rule.zh}"]
    lines_en = [f"Rule: {rule.en}"]
    if firing:
        lines_zh += [f"常见原因:{near.cause_zh}", f"先做:{near.next_zh}"]
        lines_en += [f"Usual cause: {near.cause_en}", f"First: {near.next_en}"]
    if notice.before:
        lines_zh.append(f"该规则另有 {notice.before} 条告警因发送上限未发送,请看控制台")
        lines_en.append(f"{notice.before} more of this rule were not sent; see the console")
    lines_zh.append(f"时间:{at:%Y-%m-%d %H:%M:%S}")
    lines_en.append(f"Time: {at:%Y-%m-%d %H:%M:%S}")
    what, severity = _WHAT[notice.what], _SEVERITY[alert.severity]
    return Message(
        notice.what, alert.severity, alert.rule, finding.kind, finding.who,
        round(at.timestamp() * 1000), finding.link,
        Words(f"【{what[0]}·{severity[0]}】{zh}", lines_zh),
        Words(f"[{what[1]} {severity[1]}] {en}", lines_en),
    )  # fmt: skip


def trial(by: str, at: datetime) -> Message:
    """The words of the test button."""
    when = f"{at:%Y-%m-%d %H:%M:%S}"
    return Message(
        TEST, "warn", "", "", "", round(at.timestamp() * 1000), "/alerts",
        Words("【测试】救助枢纽告警通道可用", [f"由 {by} 在控制台发送", f"时间:{when}"]),
        Words("[TEST] the hub's alert channel works", [f"Sent by {by}", f"Time: {when}"]),
    )  # fmt: skip


def severity_words(severity: str) -> tuple[str, str]:
    """Chinese and English word of a severity."""
    return _SEVERITY[severity]
