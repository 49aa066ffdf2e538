"""Alarms: what makes the hub call for a person, in two languages, with the way on.

An alarm stands until what raised it is over or somebody clears it. ``hub doctor`` shows those that
stand; the metric ``hub_alarms`` counts every one raised.
"""

from __future__ import annotations

from typing import NamedTuple


class Alarm(NamedTuple):
    """What a kind of alarm means, and what to do."""

    zh: str
    en: str
    mend_zh: str
    mend_en: str


PARTITION_STOPPED = "partition_stopped"
TOPIC_REPLACED = "topic_replaced"
EVENT_SET_ASIDE = "event_set_aside"
RECORD_SET_ASIDE = "record_set_aside"
TIMER_SET_ASIDE = "timer_set_aside"
COPY_PARKED = "copy_parked"
BREAKER_OPEN = "breaker_open"
PERSONS_ENUMERATED = "persons_enumerated"

ALARMS = {
    PARTITION_STOPPED: Alarm(
        "分区已停:读取位置与日志不符,继续会漏掉记录",
        "partition stopped: its claim does not fit the log, and going on would skip records",
        "查明缺失的记录,再用 hub offsets 移动读取位置",
        "find out which records are missing, then move the claim with 'hub offsets'",
    ),
    TOPIC_REPLACED: Alarm(
        "分区已停:主题被删除后重建,旧的读取位置不适用",
        "partition stopped: the topic was deleted and made again, and the old claim is not its own",
        "查明谁重建了主题、丢了哪些记录,再用 hub offsets 从新日志的开头读起",
        "find out who made it again and what was lost, then let 'hub offsets' begin at its start",
    ),
    EVENT_SET_ASIDE: Alarm(
        "事件三次使进程崩溃,已移入死信",
        "an event made the process die three times and is a dead letter now",
        "hub dlq list --code E-BUG;升级修正后重发",
        "'hub dlq list --code E-BUG'; redrive it with a release that mends it",
    ),
    RECORD_SET_ASIDE: Alarm(
        "原始记录三次使接入崩溃,已移入死信",
        "a raw record made intake die three times and is a dead letter now",
        "hub dlq list --code E-BUG;升级修正后重发",
        "'hub dlq list --code E-BUG'; redrive it with a release that mends it",
    ),
    TIMER_SET_ASIDE: Alarm(
        "定时事件三次使进程崩溃,已移入死信",
        "a timer made the process die three times and is a dead letter now",
        "hub dlq list --code E-BUG;升级修正后处理",
        "'hub dlq list --code E-BUG'; mend it with a release",
    ),
    COPY_PARKED: Alarm(
        "有副本多次投递失败,已搁置",
        "a copy could not be delivered and is parked",
        "查看接收方的回复,修正后重发",
        "read what the receiver answered, mend it, deliver again",
    ),
    BREAKER_OPEN: Alarm(
        "接收方连续失败,已暂停投递",
        "a receiver fails altogether; deliveries to it pause",
        "联系接收方;恢复后自动续投",
        "call the receiver; deliveries go on by themselves once it answers",
    ),
    PERSONS_ENUMERATED: Alarm(
        "某账号短时间内大量查询人员",
        "an account looks up very many persons",
        "在审计中查看其理由,与本人核实,必要时停用账号",
        "read its reasons in the audit, ask its holder, close the account if need be",
    ),
}
"""Every kind. Adding one here is all it takes to raise it."""
