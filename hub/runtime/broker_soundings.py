"""Broker soundings: ends of logs, ages of the next records, foreign groups, brokers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from hub.kernel.settings import Settings
from hub.monitoring.offsets import Commit, Log, Place

_TOPICS_EVERY = 12
"""Pictures after which topics are listed anew."""
_GROUPS_EVERY = 2
_FETCHES = 40
"""Records fetched for their age in one picture, at most."""
_SECONDS = 10.0


class Brokers(NamedTuple):
    """What the cluster says of itself."""

    up: int
    under_replicated: int
    offline: int


async def _started(
    start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]]
) -> None:
    """Start a client; one that is cut while it starts gives its sockets back."""
    try:
        await start()
    except BaseException:
        with suppress(KafkaError, OSError, TimeoutError):
            await asyncio.wait_for(stop(), 2)
        raise


class BrokerSoundings:
    """Asks the broker; keeps its connections between pictures.

    Args:
        bootstrap: Bootstrap servers.
        settings: For the topic prefix.
    """

    def __init__(self, bootstrap: str, settings: Settings) -> None:
        self._bootstrap, self._settings = bootstrap, settings
        self._gauge: AIOKafkaConsumer | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._places: list[TopicPartition] = []
        self._brokers: Brokers | None = None
        self._ages: dict[tuple[Place, int], int] = {}
        self._stayed: set[tuple[Place, int]] = set()
        self._groups: dict[tuple[str, str, int], Commit] = {}
        self._looks = 0

    async def close(self) -> None:
        """Let go; the next question connects again."""
        ends = [one.stop for one in (self._gauge, self._reader) if one]
        if self._admin:
            ends.append(self._admin.close)
        self._gauge = self._reader = self._admin = None
        self._looks = 0
        for end in ends:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(end(), 2)

    async def _consumer(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="hub-sampler",
            enable_auto_commit=False,
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=1 << 16,
        )
        await _started(consumer.start, consumer.stop)
        return consumer

    async def _asked(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
            await _started(admin.start, admin.close)
            self._admin = admin
        return self._admin

    async def logs(self) -> dict[Place, Log]:
        """First and end offset of every partition of the hub's topics.

        Raises:
            aiokafka.errors.KafkaError: the broker is away.
        """
        if self._gauge is None:
            self._gauge = await self._consumer()
        gauge = self._gauge
        if self._looks % _TOPICS_EVERY == 0:
            await self._list(await self._asked(), gauge)
        self._looks += 1
        if not self._places:
            return {}
        ends = await asyncio.wait_for(gauge.end_offsets(self._places), _SECONDS)
        starts = await asyncio.wait_for(gauge.beginning_offsets(self._places), _SECONDS)
        return {self._place(at): Log(starts[at], end) for at, end in ends.items()}

    @property
    def brokers(self) -> Brokers | None:
        """As last listed."""
        return self._brokers

    async def _list(self, admin: AIOKafkaAdminClient, gauge: AIOKafkaConsumer) -> None:
        prefix = self._settings.topic_prefix
        names = [
            name
            for name in await admin.list_topics()
            if name.startswith(prefix) and not name.startswith("__")
        ]
        described = await admin.describe_topics(names) if names else []
        parts = [(one["topic"], part) for one in described for part in one["partitions"]]
        places = [TopicPartition(topic, part["partition"]) for topic, part in parts]
        if places != self._places or not gauge.assignment():
            # Assigned and paused: the client learns all topics at once and keeps them. Asked one
            # by one, each unknown topic costs a refresh, and a busy broker would look dead.
            gauge.assign(places)
            gauge.pause(*places)
        self._places = places
        cluster = await admin.describe_cluster()
        self._brokers = Brokers(
            len(cluster["brokers"]),
            sum(len(part["isr"]) < len(part["replicas"]) for _, part in parts),
            sum(part["leader"] < 0 for _, part in parts),
        )

    def _place(self, at: TopicPartition) -> Place:
        return self._settings.plain(at.topic), at.partition

    async def foreign(self, logs: Mapping[Place, Log], now: int) -> dict[Any, Commit]:
        """Positions of groups that are not the hub's; Kafka tells no commit time, so ours counts.

        A commit gets the time at which it was first seen.
        """
        if self._looks % _GROUPS_EVERY != 1 and self._groups:
            return self._groups
        admin = await self._asked()
        found: dict[tuple[str, str, int], Commit] = {}
        own = self._settings.wire("hub.")
        for name, _kind in await admin.list_consumer_groups():
            if name.startswith(own):
                continue
            offsets = await admin.list_consumer_group_offsets(name)
            for at, position in offsets.items():
                place = self._place(at)
                if place not in logs or position.offset < 0:
                    continue
                known = self._groups.get((name, *place))
                same = known is not None and known.offset == position.offset
                found[name, *place] = known if same and known else Commit(position.offset, now)
        self._groups = found
        return found

    async def ages(
        self, wanted: Iterable[tuple[Place, int]], now: int
    ) -> dict[tuple[Place, int], int]:
        """Age of the record at each offset, ms; offsets that are asked again come from memory."""
        asked = list(dict.fromkeys(wanted))
        known = {key: at for key in asked if (at := self._ages.get(key)) is not None}
        # Those that stay where they were come first: with many partitions on the move a stuck one
        # would otherwise never have its turn, and its age is the one that counts.
        missing = sorted(
            (key for key in asked if key not in known), key=lambda key: key not in self._stayed
        )
        self._stayed = set(asked)
        if missing:
            known |= await self._fetch(missing[:_FETCHES])
        self._ages = known
        return {key: max(0, now - at) for key, at in known.items()}

    async def newest(self, logs: Mapping[Place, Log], topics: Iterable[str]) -> dict[str, int]:
        """Time of the newest record of topics, ms since 1970; empty topics are left out."""
        chosen = set(topics)
        wanted = [
            (place, log.end - 1)
            for place, log in logs.items()
            if place[0] in chosen and log.end > log.start
        ]
        found: dict[str, int] = {}
        for start in range(0, len(wanted), _FETCHES):
            for ((topic, _), _), at in (
                await self._fetch(wanted[start : start + _FETCHES])
            ).items():
                found[topic] = max(found.get(topic, 0), at)
        return found

    async def _fetch(self, wanted: list[tuple[Place, int]]) -> dict[tuple[Place, int], int]:
        # A client of its own: what it is assigned changes with every picture.
        if self._reader is None:
            self._reader = await self._consumer()
        consumer = self._reader
        asked: dict[TopicPartition, tuple[Place, int]] = {}
        for (topic, part), offset in wanted:
            # Where groups stand at different offsets of a partition, one is asked for at a time.
            at = TopicPartition(self._settings.wire(topic), part)
            asked.setdefault(at, ((topic, part), offset))
        consumer.assign(list(asked))
        for at, (_, offset) in asked.items():
            consumer.seek(at, offset)
        found: dict[tuple[Place, int], int] = {}
        loop = asyncio.get_running_loop()
        until = loop.time() + 1.0
        while asked.keys() and loop.time() < until:
            for at, records in (await consumer.getmany(*asked, timeout_ms=150)).items():
                if records and at in asked:
                    found[asked.pop(at)] = records[0].timestamp
                    consumer.pause(at)
        return found
