"""Originals: the bytes of a dead letter, from its row or from ``dlq.hub.<topic>``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiokafka
import asyncpg
import msgspec
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from hub.contracts.replay_marks import OURS
from hub.kernel.settings import Settings
from hub.model.outbox import Headers, unpack
from hub.runtime.topic_ids import topic_ids
from hub.store import dead_letter_index
from hub.store.dead_letter_index import Letter

_ID = f"{OURS}id"
RETRY_MS = 10
_MARGIN_MS = 600_000
"""The record in ``dlq.*`` was written about when it was told of, at most so much earlier."""


class Original(msgspec.Struct):
    """A record that became a dead letter, as it was read.

    Attributes:
        key: Record key.
        value: Record value.
        headers: Its headers; those of the dead letter too where it lay in ``dlq.*``.
        place: Where it was found, for people.
    """

    key: bytes | None
    value: bytes
    headers: Headers
    place: str


class Log:
    """Reads single records and ranges of topics, without a group.

    Args:
        client: A started consumer without subscription.
        admin: A started administrator's client.
    """

    def __init__(self, client: Any, admin: Any) -> None:
        self._client = client
        self._admin = admin
        self._parts: dict[str, int] = {}
        self._near: dict[tuple[str, int, int], Any] = {}

    async def parts(self, topic: str) -> int:
        """Partitions of a topic; 0: there is no such topic."""
        if topic not in self._parts:
            (found,) = await self._admin.describe_topics([topic])
            self._parts[topic] = len(found["partitions"])
        return self._parts[topic]

    async def bounds(self, topic: str, part: int) -> tuple[int, int]:
        """First offset that is kept, and the end; both 0 where there is no such partition."""
        if part >= await self.parts(topic):
            return 0, 0
        return (await self.all_bounds(topic, [part]))[part]

    async def all_bounds(self, topic: str, parts: Iterable[int]) -> dict[int, tuple[int, int]]:
        """First offset that is kept and the end of partitions that exist, asked for together."""
        places = [TopicPartition(topic, part) for part in parts]
        first = await self._client.beginning_offsets(places)
        last = await self._client.end_offsets(places)
        return {at.partition: (first[at], last[at]) for at in places}

    async def topic_id(self, topic: str) -> str:
        """The broker's id of a topic, another one after it was made again; empty: not told."""
        return (await topic_ids(self._client, [topic])).get(topic, "")

    async def since(self, topic: str, part: int, ms: int) -> int | None:
        """Offset of the first record received at or after an instant; None: there is none."""
        at = TopicPartition(topic, part)
        found = (await self._client.offsets_for_times({at: ms}))[at]
        return None if found is None else int(found.offset)

    async def spans(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> list[Any]:
        """Records of ranges of several partitions, fetched together; in no order among them.

        Args:
            topic: As it is called on the cluster.
            ranges: Partition → first offset and the one after the last, both inside its log.
        """
        ends = {TopicPartition(topic, part): end for part, (_, end) in ranges.items()}
        self._client.assign(list(ends))
        for at in ends:
            self._client.seek(at, ranges[at.partition][0])
        left = {at for at, end in ends.items() if ranges[at.partition][0] < end}
        found: list[Any] = []
        while left:
            polled = await self._client.getmany(*left, timeout_ms=1000)
            found += [
                one for at, records in polled.items() for one in records if one.offset < ends[at]
            ]
            # Control records and gaps move the position without giving a record.
            left = {at for at in left if await self._client.position(at) < ends[at]}
        return found

    async def span(self, topic: str, part: int, begin: int, end: int) -> AsyncIterator[Any]:
        """Records of a range; those that are not kept any more are left out."""
        first, last = await self.bounds(topic, part)
        begin, end = max(begin, first), min(end, last)
        if begin >= end:
            return
        at = TopicPartition(topic, part)
        self._client.assign([at])
        self._client.seek(at, begin)
        position = begin
        while position < end:
            polled = await self._client.getmany(at, timeout_ms=1000)
            for record in polled.get(at, ()):
                if record.offset >= end:
                    return
                yield record
            # Control records and gaps move the position without giving a record.
            position = await self._client.position(at)

    async def at(self, topic: str, part: int, off: int) -> Any | None:
        """The record of one offset; None: it is not kept any more.

        What the same fetch brought is kept until the next one: whoever goes through a partition
        record by record asks the broker once for each megabyte, not once for each record.
        """
        place = topic, part, off
        if place not in self._near:
            self._near = await self._fetched(topic, part, off)
        return self._near.get(place)

    async def _fetched(self, topic: str, part: int, off: int) -> dict[tuple[str, int, int], Any]:
        """The records of the one fetch that begins at an offset; none where it is not kept."""
        first, last = await self.bounds(topic, part)
        if not first <= off < last:
            return {}
        at = TopicPartition(topic, part)
        self._client.assign([at])
        self._client.seek(at, off)
        while await self._client.position(at) <= off:
            polled = await self._client.getmany(at, timeout_ms=1000)
            if records := polled.get(at):
                return {(topic, part, record.offset): record for record in records}
        return {}


@asynccontextmanager
async def log(bootstrap: str) -> AsyncIterator[Log]:
    """A reader of topics; it belongs to no group and commits nothing."""
    client = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id="hub-operations",
        auto_offset_reset="none",
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
        # Asked for the bounds of a topic it does not know yet, the client waits so long.
        retry_backoff_ms=RETRY_MS,
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="hub-operations")
    try:
        await client.start()
        await admin.start()
        yield Log(client, admin)
    finally:
        await admin.close()
        await client.stop()


async def original(
    connection: asyncpg.Connection, reader: Log, settings: Settings, letter: Letter
) -> Original | None:
    """The bytes of a dead letter; None: they are not kept (any more)."""
    kept = await dead_letter_index.contents(connection, letter.id)
    if kept.value is not None:
        place = f"{letter.topic}/{letter.part}/{letter.off}"
        return Original(kept.key, kept.value, unpack(kept.headers) if kept.headers else [], place)
    if letter.stage != "intake":
        return None
    if letter.letter_off is None or letter.letter_part is None:
        await locate(connection, reader, settings, [letter])
    if letter.letter_off is None or letter.letter_part is None:
        return None
    topic = _topic(settings, letter)
    record = await reader.at(topic, letter.letter_part, letter.letter_off)
    if record is None or dict(record.headers).get(_ID) != letter.id.encode():
        return None
    place = f"{topic}/{record.partition}/{record.offset}"
    return Original(record.key, record.value, list(record.headers), place)


async def locate(
    connection: asyncpg.Connection, reader: Log, settings: Settings, letters: Iterable[Letter]
) -> None:
    """Find where dead letters of intake lie in ``dlq.*``, and keep it."""
    wanted: dict[tuple[str, int], dict[bytes, Letter]] = defaultdict(dict)
    for letter in letters:
        if letter.stage == "intake" and letter.size is None and letter.letter_off is None:
            topic = _topic(settings, letter)
            parts = await reader.parts(topic)
            if parts:
                wanted[topic, letter.part % parts][letter.id.encode()] = letter
    found = {}
    for (topic, part), missing in wanted.items():
        found.update(await _search(reader, topic, part, missing))
    if found:
        await dead_letter_index.place(connection, found)


async def _search(
    reader: Log, topic: str, part: int, missing: dict[bytes, Letter]
) -> dict[str, tuple[int, int]]:
    """Look from about when they were told of, then in what is older."""
    first, last = await reader.bounds(topic, part)
    told = min((letter.told_at or 0 for letter in missing.values()), default=0)
    start = await reader.since(topic, part, max(0, told - _MARGIN_MS))
    middle = last if start is None else start
    found: dict[str, tuple[int, int]] = {}
    for begin, end in ((middle, last), (first, middle)):
        async for record in reader.span(topic, part, begin, end):
            letter = missing.pop(dict(record.headers).get(_ID, b""), None)
            if letter is not None:
                letter.letter_part, letter.letter_off = part, record.offset
                found[letter.id] = part, record.offset
            if not missing:
                return found
    return found


def _topic(settings: Settings, letter: Letter) -> str:
    return settings.wire(f"dlq.hub.{settings.plain(letter.topic)}")
