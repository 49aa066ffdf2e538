"""Routes: where a dead letter goes when it is redriven, or why it does not; pure.

The record's own headers say where it came from. It goes back to the one consumer that failed on
it, never to anybody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hub.contracts.replay_marks import ReplayMark, without_errors
from hub.deadletters.families import failure_of
from hub.kernel.clocks import from_epoch_ms, rfc3339

Headers = Sequence[tuple[str, bytes]]
RECORDED = "ce_recordedtime"


class Refusal(NamedTuple):
    """Why a dead letter is not redriven; key, Chinese, English."""

    key: str
    zh: str
    en: str


SETTLED = Refusal("settled", "已解决,无须重投", "settled already")
QUARANTINED = Refusal(
    "quarantined", "重投次数已达上限,已隔离;请部门更正后重发",
    "redriven as often as is allowed, quarantined: the department has to correct it",
)  # fmt: skip
EDGE = Refusal(
    "edge", "在接入口被拒,内容未保存;请部门重发",
    "refused at the edge, nothing of it is kept: the department has to send again",
)  # fmt: skip
TIMER = Refusal("timer", "由定时器产生,没有原始消息", "raised by a timer, there is no record")
GONE = Refusal("gone", "原始内容已过保存期", "its bytes are not kept any more")
FOREIGN = Refusal(
    "foreign", "消息头所写来源与登记不符", "its headers name another origin than its entry"
)
TOPIC = Refusal("topic", "来源主题不可重投", "its topic takes no redriven records")
EDIT = Refusal("edit", "更改后的内容未通过检查", "the changed value is refused")


def is_target(topic: str) -> bool:
    """Whether one consumer of the hub, and no program, reads a topic (name without prefix)."""
    return topic.startswith(("in.", "event.")) or (
        topic.startswith("program.") and topic.endswith(".reply")
    )


def origin(headers: Headers, topic: str, part: int) -> tuple[str, int] | Refusal:
    """Where a record came from: by its own headers, else by its entry in the index.

    Args:
        headers: As found beside its bytes.
        topic: Of the entry, as the cluster calls it.
        part: Of the entry.
    """
    told = failure_of(headers)
    if told.topic and (told.topic, told.partition) != (topic, part):
        return FOREIGN
    return topic, part


def redriven(headers: Headers, recorded: int | None) -> list[tuple[str, bytes]]:
    """The headers of a redriven record, before its mark: errors stripped, the rest unchanged.

    A record that bore no instant gets the one it was received at, as intake judges it against
    that day; so it becomes the same event as it would have become then.

    Args:
        headers: As found beside its bytes.
        recorded: ms since 1970, where the entry knows it.
    """
    kept = without_errors(headers)
    at = failure_of(headers).timestamp if recorded is None else recorded
    if at is not None and not any(name == RECORDED for name, _ in kept):
        kept.append((RECORDED, rfc3339(from_epoch_ms(at)).encode()))
    return kept


def mark(
    headers: Headers,
    *,
    of: str,
    count: int,
    by: str,
    first_code: str,
    first_failed_at: int,
    place: tuple[str, int, int],
) -> ReplayMark:
    """What a redriven record tells of its past; its first failure stays.

    Args:
        headers: As found beside its bytes.
        of: Dead letter.
        count: Which redrive it is.
        by: Operation.
        first_code: Code of the first failure.
        first_failed_at: ms since 1970.
        place: Topic, partition and offset of the first failure.
    """
    return ReplayMark(
        of=of,
        count=count,
        by=by,
        first_failed_at=rfc3339(from_epoch_ms(first_failed_at)),
        first_code=first_code,
        first_topic=place[0],
        first_partition=place[1],
        first_offset=place[2],
        first_message=failure_of(headers).message,
    )
