"""Shares: a poll in which a flooded topic leaves the others their part.

A consumer hands out what it has fetched partition by partition, so one topic with a long backlog
can fill poll after poll while records of another wait. Here every topic that a full poll passed
over gets a share of its own in the same turn: nobody waits longer than one turn.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from aiokafka import TopicPartition

_PART = 8
"""A topic that was passed over gets at least this fraction of a poll."""


async def fair_poll(
    client: Any, partitions: Collection[TopicPartition], *, timeout_ms: int, limit: int
) -> dict[TopicPartition, list[Any]]:
    """Records of several topics: at most ``limit``, and a share for each one left out.

    Args:
        client: An aiokafka consumer.
        partitions: Those to read.
        timeout_ms: How long to wait where nothing is there.
        limit: Records of a poll in which nobody is left out.
    """
    polled: dict[TopicPartition, list[Any]] = await client.getmany(
        *partitions, timeout_ms=timeout_ms, max_records=limit
    )
    if sum(map(len, polled.values())) < limit:
        # All that was fetched is here.
        return polled
    for places in left_out(partitions, polled):
        polled |= await client.getmany(*places, timeout_ms=0, max_records=max(1, limit // _PART))
    return polled


def left_out(
    partitions: Collection[TopicPartition], polled: Collection[TopicPartition]
) -> list[list[TopicPartition]]:
    """The partitions of each topic of which a poll gave nothing."""
    served = {place.topic for place in polled}
    found: dict[str, list[TopicPartition]] = {}
    for place in partitions:
        if place.topic not in served:
            found.setdefault(place.topic, []).append(place)
    return list(found.values())
