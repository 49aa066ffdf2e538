"""Logs: whether a partition's log still is the one that a claim was made on, and reaches it.

Where it is not, going on at the nearest offset would skip records in silence: the partition stops,
an alarm stands, and an operator decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from hub.kernel.alarms import PARTITION_STOPPED, TOPIC_REPLACED
from hub.runtime.topic_ids import topic_ids
from hub.store.claims import Claim, Place

MISFITS = (PARTITION_STOPPED, TOPIC_REPLACED)
"""Alarms that end once the claim is followed."""


def named(place: Place) -> str:
    """A partition as alarms name it."""
    return f"{place[0]}/{place[1]}"


class Log(NamedTuple):
    """A partition's log as the broker has it.

    Attributes:
        topic_id: Empty where the broker cannot tell.
        first: Offset of the first record that is still there.
        last: Offset after the last record.
    """

    topic_id: str
    first: int
    last: int


class Misfit(NamedTuple):
    """Why a claim must not be followed: kind of the alarm, and detail."""

    kind: str
    detail: str


async def look(
    consumer: Any, partitions: Collection[TopicPartition]
) -> Mapping[TopicPartition, Log]:
    """The logs of partitions, asked from the broker.

    Raises:
        aiokafka.errors.KafkaError: it does not answer; KafkaTimeoutError included.
    """
    ids = await topic_ids(consumer, {partition.topic for partition in partitions})
    first = await consumer.beginning_offsets(partitions)
    last = await consumer.end_offsets(partitions)
    return {p: Log(ids.get(p.topic, ""), first[p], last[p]) for p in partitions}


def misfit(claim: Claim, log: Log) -> Misfit | None:
    """Why the claim cannot be followed in this log; None: it can."""
    if claim.topic_id and log.topic_id and claim.topic_id != log.topic_id:
        return Misfit(
            TOPIC_REPLACED,
            f"claim {claim.next_offset} of topic {claim.topic_id}, log {log.first}..{log.last}"
            f" of topic {log.topic_id}",
        )
    if not log.first <= claim.next_offset <= log.last:
        return Misfit(
            PARTITION_STOPPED, f"claim {claim.next_offset} outside the log {log.first}..{log.last}"
        )
    return None


def follows(records: Sequence[Any], reached: int) -> bool:
    """Whether a poll goes on where the last one ended; a gap may be harmless, but asks to look.

    The client begins again at the start of the log, silently, where its position was deleted or
    the topic was made again.
    """
    first, last = records[0].offset, records[-1].offset
    return bool(first == reached and last - first + 1 == len(records))
