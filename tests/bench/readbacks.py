"""Read-backs: what a program really wrote, read from the topics, as digests and sets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from hashlib import blake2b
from typing import Any, NamedTuple

import aiokafka
import msgspec

from hub.contracts.cloudevents import SEQUENCE
from hub.contracts.codecs import decode_copy
from hub.runtime.bench_grounds import Ground
from tests.bench.grants import PROGRAMS, Referred

_PACK = msgspec.msgpack.Encoder().encode


async def records(ground: Ground, topics: Iterable[str]) -> AsyncIterator[Any]:
    """Every record of topics, up to their present ends, committed ones only."""
    ends = {place: end for place, end in (await ground.ends(topics)).items() if end}
    reader = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=ground.settings.kafka,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=1 << 21,
    )
    await reader.start()
    try:
        reader.assign(list(ends))
        while ends:
            polled = await reader.getmany(timeout_ms=500, max_records=10_000)
            for place, found in polled.items():
                for one in found:
                    yield one
                # The position passes markers of transactions as well.
                if place in ends and await reader.position(place) >= ends[place]:
                    del ends[place]
    finally:
        await reader.stop()


class Digests(NamedTuple):
    """Digests of records over key, value and headers, and how often one stood there twice."""

    found: frozenset[bytes]
    repeats: int


async def digests(ground: Ground, topic: str) -> Digests:
    """Digests of every record of a topic."""
    found: set[bytes] = set()
    count = 0
    async for one in records(ground, [topic]):
        count += 1
        content = _PACK((one.key, one.value, [list(pair) for pair in one.headers]))
        found.add(blake2b(content, digest_size=16).digest())
    return Digests(frozenset(found), count - len(found))


async def contents(ground: Ground, topic: str) -> set[tuple[bytes, bytes]]:
    """Key and value of every record of a topic: dead letters, whose headers are each one's own."""
    return {(one.key, one.value) async for one in records(ground, [topic])}


class Inboxes(NamedTuple):
    """What the hub's programs have in their inboxes.

    Attributes:
        referrals: Every referral by what it tells of.
        repeats: Copies whose id came before.
        gaps: Numbers missing or used twice for different copies.
        strangers: Copies of referrals that are not in the ledger.
    """

    referrals: set[Referred]
    repeats: int
    gaps: int
    strangers: int


async def inboxes(ground: Ground, programs: Iterable[str] = PROGRAMS) -> Inboxes:
    """Read every inbox and look each copy up in the ledger."""
    rows = await ground.db.fetch("SELECT id, program, subject_ref, episode FROM referral")
    ledger = {row[0]: (row[1], row[2], row[3]) for row in rows}
    found: set[Referred] = set()
    repeats = gaps = strangers = 0
    for program in programs:
        ids: dict[bytes, int] = {}
        async for one in records(ground, [f"program.{program}.inbox"]):
            headers = dict(one.headers)
            number = int(headers[SEQUENCE])
            if ids.setdefault(headers["ce_id"], number) != number:
                gaps += 1
                continue
            referral = decode_copy(program, one.value)["envelope"].get("referral_id")
            if referral not in ledger:
                strangers += 1
            elif ledger[referral] in found:
                repeats += 1
            else:
                found.add(ledger[referral])
        gaps += len(set(range(1, len(ids) + 1)) ^ set(ids.values()))
    return Inboxes(found, repeats, gaps, strangers)


async def told(ground: Ground, programs: Iterable[str] = PROGRAMS) -> set[Referred]:
    """The referrals that the faust peer wrote."""
    topics = [f"bench.inbox.{program}" for program in programs]
    rows = [msgspec.json.decode(one.value) async for one in records(ground, topics)]
    return {(row["program"], row["subject"], row["episode"]) for row in rows}


async def gaps(ground: Ground) -> int:
    """Numbers given and not found in an inbox, or found there for two different copies."""
    rows = await ground.db.fetch(
        "SELECT topic, next_seq FROM subscription WHERE mode = 'kafka' AND next_seq > 1"
    )
    wrong = 0
    for topic, following in rows:
        if topic.startswith("event."):
            continue
        numbers: dict[int, bytes] = {}
        async for one in records(ground, [topic]):
            headers = dict(one.headers)
            number = int(headers[SEQUENCE])
            wrong += numbers.setdefault(number, headers["ce_id"]) != headers["ce_id"]
        wrong += len(set(range(1, following)) ^ numbers.keys())
    return wrong
