"""Labels: the screen's words for states and kinds, Chinese and English."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from hub.contracts.catalogues import catalogue
from hub.kernel.clocks import from_epoch_ms
from hub.kernel.reasons import CODES
from hub.sdk.manifests import Manifest
from hub.sdk.profiles import Profile

Label = tuple[str, str]
"""Chinese, English."""


class Declared(Protocol):
    """Where departments and rules are declared."""

    @property
    def manifests(self) -> dict[str, Manifest]:
        """Departments by id."""

    @property
    def profile(self) -> Profile:
        """The rules in force, each with its sentence."""


STAGES: dict[str, Label] = {
    "received": ("接收", "Received"),
    "canonical": ("规范化", "Canonical"),
    "decided": ("决策", "Decided"),
    "copies": ("副本", "Copies"),
    "delivered": ("送达", "Delivered"),
}
STATES: dict[str, Label] = {
    "created": ("待受理", "created"),
    "accepted": ("已受理", "accepted"),
    "rejected": ("已退回", "rejected"),
    "completed": ("已办结", "completed"),
    "closed": ("已关闭", "closed"),
    "served": ("已享受", "served"),
    "open": ("办理中", "open"),
    "stop_answered": ("停止通知已答复", "stop notice answered"),
    "stop_notified": ("已发停止通知", "stop notice sent"),
    "notified": ("停止通知待答复", "stop notice unanswered"),
    "review": ("请求复核", "review requested"),
    "answered": ("停止通知已答复", "stop notice answered"),
    "overdue": ("逾期", "overdue"),
    "escalated": ("已升级", "escalated"),
}
SUBJECTS: dict[str, Label] = {
    "person": ("人", "person"),
    "pupil": ("学生", "pupil"),
    "meter": ("电表", "meter"),
    "house": ("房屋", "house"),
    "job": ("就业", "job"),
}
KINDS: dict[str, Label] = {
    "classification": ("分类认定", "Classification"),
    "household_reassessment": ("家庭复核", "Household reassessment"),
    "death_decision": ("死亡处理决定", "Decision after a death"),
    "alive_conflict": ("生存状态核实", "Conflicting life status"),
    "identity_review": ("身份核实", "Identity review"),
}
OPEN: dict[str, Label] = {
    "case": ("个案", "case"),
    "task": ("任务", "task"),
    "referral": ("转介", "referral"),
    "stop_notice": ("停止或复核通知", "stop or review notice"),
    "dead_letter": ("死信", "dead letter"),
    "parked": ("搁置的副本", "parked copy"),
}
"""Things that were opened and are not closed yet."""
WAYS: dict[str, Label] = {
    "kafka": ("消息主题", "Kafka topic"),
    "webhook": ("回调", "webhook"),
    "pull": ("拉取", "pull"),
}
DENIALS: dict[str, Label] = {
    "deny.no_agreement": ("没有服务协议", "no service agreement"),
    "deny.expired": ("服务协议已到期", "the service agreement has ended"),
    "deny.area": ("不在协议区域内", "outside the area agreed"),
    "deny.sender": ("协议不含该来源", "the sender is not in the agreement"),
    "deny.sensitivity": ("超出协议的敏感级别", "more sensitive than agreed"),
    "deny.field": ("字段未获授权", "a field is not granted"),
    "deny.purpose": ("用途不符", "another purpose than agreed"),
    "deny.consent": ("没有本人同意", "no consent of the person"),
    "deny.directory": ("与该人没有业务关系", "no role for this person"),
    "deny.key": ("接收方没有密钥", "no key for the receiver"),
}
"""Why a copy did not leave."""
DISPOSITIONS: dict[str, Label] = {
    "decided": ("已决策", "decided"),
    "filtered": ("无需处理", "nothing to do"),
    "dead_letter": ("进入死信", "dead letter"),
}


def of(table: dict[str, Label], name: str | None) -> Label:
    """A label; a name that has none stands for itself in both languages."""
    return table.get(name or "", (name or "", name or ""))


def program(name: str) -> Label:
    """A program's or recipient's name."""
    grant = catalogue().grants.get(name)
    return (grant.zh, grant.en) if grant else (name, name)


def connector(declared: Declared, name: str) -> Label:
    """A department's name, also out of ``/gov/<division>/<connector>``."""
    short = name.rpartition("/")[2]
    manifest = declared.manifests.get(short)
    return (manifest.zh, manifest.en) if manifest else program(short)


def event(name: str) -> Label:
    """An event type's name."""
    declared = catalogue().events.get(name)
    return (declared.zh, declared.en) if declared else (name, name)


def topic(declared: Declared, name: str) -> Label:
    """A topic's name with its department or program."""
    found = catalogue().topics.get(name)
    if found is None:
        return name, name
    owner = connector(declared, found.owner)
    if owner[0] == "hub":
        return found.zh, found.en
    return f"{owner[0]} · {found.zh}", f"{owner[1]} · {found.en}"


def code(name: str) -> Label:
    """What a dead-letter code means and what to do."""
    reason = CODES.get(name)
    return (reason.zh, reason.en) if reason else (name, name)


def rule(declared: Declared, name: str) -> Label:
    """The sentence of a rule of the profile in force."""
    found = declared.profile.rule(name)
    return (found.zh, found.en) if found else ("", "")


def field(path: str) -> Label:
    """The name of a field path such as ``id.name``."""
    group, _, name = path.partition(".")
    declared = catalogue().groups.get(group)
    found = declared.fields.get(name) if declared else None
    return (found.zh, found.en) if found else (path, path)


def moment(ms: int | None, now: int | None = None) -> str:
    """An instant for people; today's ones without the date."""
    if ms is None:
        return ""
    at = from_epoch_ms(ms)
    if now is not None and from_epoch_ms(now).date() == at.date():
        return f"{at:%H:%M:%S}"
    return f"{at:%m-%d %H:%M}" if now is not None else f"{at:%Y-%m-%d %H:%M:%S}"


def age(ms: int | None, now: int) -> Label:
    """How long ago, in one unit."""
    if ms is None:
        return "", ""
    span = timedelta(milliseconds=max(0, now - ms))
    for seconds, zh, en in ((86_400, "天", "d"), (3600, "小时", "h"), (60, "分", "min")):
        count = int(span.total_seconds() // seconds)
        if count:
            return f"{count} {zh}", f"{count} {en}"
    return f"{span.seconds} 秒", f"{span.seconds} s"


def pair(label: Label) -> dict[str, str]:
    """A label in a JSON document."""
    return {"zh": label[0], "en": label[1]}


Document = dict[str, Any]
"""A JSON object."""
