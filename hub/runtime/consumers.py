"""Consumers: one for each reading stage, its assignment, mirror commits and measured lag."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from itertools import count
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from hub.runtime.assignments import Assignment, Holding
from hub.runtime.clients import consumer
from hub.runtime.metrics import LAG
from hub.runtime.progress import Progress
from hub.runtime.stages import Stage
from hub.runtime.topic_ids import topic_ids

_MIRROR_SECONDS = 1.0
_ASKED = 5
"""Every how many turns the broker is asked for the ends and the ids of topics."""
_LEAVE_SECONDS = 2.0

log = structlog.get_logger(__name__)


class StageConsumer:
    """The consumer of a stage and what watches over it.

    Args:
        stage: The worker's surroundings.
        name: ``intake`` or ``decide``; with the prefix also the group id.
        topics: Topics without prefix.
        slot: The worker's slot; makes the member static, so that a restart is no rebalance.
    """

    def __init__(self, stage: Stage, name: str, topics: Sequence[str], slot: int | None) -> None:
        self._stage = stage
        self._topics = [stage.settings.wire(topic) for topic in topics]
        group = stage.settings.wire(f"hub.{name}")
        instance = None if slot is None else f"{group}.{slot}"
        self.client: Any = consumer(stage.settings.kafka, group, instance)
        self.assignment = Assignment(self.client)
        self.progress = Progress(name)
        self.holdings: list[Holding] = []
        self._mirrored: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        """Join the group; topics that do not exist yet are picked up when they appear."""
        await self.client.start()
        self.client.subscribe(self._topics, listener=self.assignment)

    async def stop(self) -> None:
        """Leave; a static member keeps its place for the session time-out."""
        await self._mirror()
        try:
            await asyncio.wait_for(self.client.stop(), _LEAVE_SECONDS)
        except (TimeoutError, KafkaError) as error:
            log.warning("consumer did not stop cleanly", kind=type(error).__name__)

    async def watch(self) -> None:
        """Mirror offsets to Kafka and measure the lag, once a second, until the worker stops.

        What every fetch tells anyway is taken from there. The broker is asked now and then only,
        as questions about some hundred partitions are most of what an idle worker costs; it has
        to be asked, as a fetch that hangs tells nothing.
        """
        for turn in count():
            await self._stage.pause(_MIRROR_SECONDS)
            if self._stage.stopping.is_set():
                return
            await self._mirror()
            await self._measure(ask=not turn % _ASKED)
            if not turn % _ASKED:
                await self._identify()

    def _claimed(self) -> dict[TopicPartition, int]:
        assigned = self.assignment.partitions
        found = {
            TopicPartition(*place): claim.next_offset
            for holding in self.holdings
            if holding.current
            for place, claim in holding.claims.items()
        }
        return {partition: off for partition, off in found.items() if partition in assigned}

    async def _mirror(self) -> None:
        """Kafka's own offsets are for lag tools only: a failure is worth a line, not more."""
        claimed = self._claimed()
        moved = {p: off for p, off in claimed.items() if self._mirrored.get(p) != off}
        if not moved:
            return
        try:
            await asyncio.wait_for(self.client.commit(moved), _LEAVE_SECONDS)
            self._mirrored = claimed
        except (KafkaError, TimeoutError) as error:
            log.debug("mirror", kind=type(error).__name__)

    async def _identify(self) -> None:
        """Notice a topic that was deleted and made again while this worker reads on in it."""
        topics = {topic for holding in self.holdings for topic, _ in holding.claims}
        if not topics:
            return
        try:
            found = await asyncio.wait_for(topic_ids(self.client, topics), _LEAVE_SECONDS)
        except (KafkaError, TimeoutError):
            return
        for holding in self.holdings:
            holding.expire(found)

    async def _answers(self) -> bool:
        try:
            await asyncio.wait_for(topic_ids(self.client, self._topics[:1]), _LEAVE_SECONDS)
        except (KafkaError, TimeoutError):
            return False
        return True

    async def _ends(self, claimed: Collection[TopicPartition], *, ask: bool) -> dict[Any, int]:
        """Ends of the logs: as the last fetches told them, or as the broker answers now."""
        if not ask and self.client.assignment().issuperset(claimed):
            told = {partition: self.client.highwater(partition) for partition in claimed}
            if None not in told.values():
                return told
        ends: dict[Any, int] = await asyncio.wait_for(self.client.end_offsets(list(claimed)), 2)
        return ends

    async def _measure(self, *, ask: bool) -> None:
        # While no broker answers there is nothing to join, and a new process would fare no better.
        self.progress.joining(self.assignment.waiting and await self._answers())
        claimed = self._claimed()
        lag = 0
        if claimed:
            try:
                ends = await self._ends(claimed, ask=ask)
            except (KafkaError, TimeoutError):
                if not await self._answers():
                    # The lag last measured stands; it is no sign that this process hangs.
                    self.progress.moved()
                return
            lag = sum(max(0, ends[partition] - off) for partition, off in claimed.items())
        self.progress.measured(lag, len(self.assignment.partitions))
        self.progress.ready = bool(self.holdings) and all(one.current for one in self.holdings)
        LAG.labels(self.progress.stage).set(lag)
