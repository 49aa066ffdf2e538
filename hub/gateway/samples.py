"""Samples: how much passed each stage, looked at every few seconds, so that rates can be told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import asyncpg
import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from hub.kernel.settings import Settings
from hub.store import reading
from hub.store.connections import is_fault
from hub.store.reading import SubscriptionState

EVERY = 5.0
"""Seconds between samples."""
_PLACES_EVERY = 12
"""Samples after which topics and partitions are listed anew."""
WINDOW_MS = 60_000
"""Rates are means over this span."""
STAGES = ("received", "canonical", "decided", "copies", "delivered")

log = structlog.get_logger(__name__)


class Sample(msgspec.Struct, frozen=True):
    """One look.

    Attributes:
        at: ms since 1970.
        counts: Stage → how many so far.
        lags: Topic (declared name) → records not worked yet; only topics that hold any record.
    """

    at: int
    counts: dict[str, int]
    lags: dict[str, int]


class Sampler:
    """Looks at broker and database in the background and keeps the last looks.

    Args:
        bootstrap: Bootstrap servers.
        pool: The hub's database.
        settings: Topic prefix.
        now: Tells ms since 1970.
    """

    def __init__(
        self, bootstrap: str, pool: asyncpg.Pool, settings: Settings, now: Callable[[], int]
    ) -> None:
        self._bootstrap, self._pool = bootstrap, pool
        self._settings, self._now = settings, now
        self._consumer: AIOKafkaConsumer | None = None
        self._places: list[TopicPartition] = []
        self._looks = 0
        self._kept: deque[Sample] = deque(maxlen=1 + int(WINDOW_MS / 1000 / EVERY))
        self._looking = asyncio.create_task(self._look_on(), name="sampler")
        self.broker_ok = False

    @property
    def last(self) -> Sample | None:
        """The newest sample; None: none yet."""
        return self._kept[-1] if self._kept else None

    def rates(self) -> dict[str, float]:
        """Stage → records per second over the window; empty until two samples exist."""
        if len(self._kept) < 2:
            return {}
        first, last = self._kept[0], self._kept[-1]
        seconds = max(0.001, (last.at - first.at) / 1000)
        return {
            stage: max(0, last.counts[stage] - first.counts[stage]) / seconds for stage in STAGES
        }

    def steps(self, stage: str) -> list[float]:
        """Records per second between neighbouring samples, the oldest first."""
        kept = list(self._kept)
        return [
            max(0, two.counts[stage] - one.counts[stage]) / max(0.001, (two.at - one.at) / 1000)
            for one, two in pairwise(kept)
        ]

    async def close(self) -> None:
        """Stop looking."""
        self._looking.cancel()
        with suppress(asyncio.CancelledError):
            await self._looking
        await self._let_go()

    async def _look_on(self) -> None:
        while True:
            try:
                self._kept.append(await self.look())
                self.broker_ok = True
            except (KafkaError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not isinstance(error, KafkaError) and not is_fault(error):
                    raise
                self.broker_ok = self.broker_ok and not isinstance(error, KafkaError)
                log.warning("gateway.sample_failed", error=type(error).__name__)
                await self._let_go()
            await asyncio.sleep(EVERY)

    async def look(self) -> Sample:
        """Take one sample.

        Raises:
            aiokafka.errors.KafkaError: the broker is away.
        """
        ends = await self._ends()
        claims = {
            (self._settings.plain(state.topic), state.part): state.next_offset
            for state in await reading.partition_states(self._pool)
        }
        subscriptions = [
            state
            for state in await reading.subscription_states(self._pool)
            if state.topic.startswith("program.")
        ]
        lags: dict[str, int] = {}
        for (topic, part), end in ends.items():
            if end and is_worked(topic):
                lags[topic] = lags.get(topic, 0) + max(0, end - claims.get((topic, part), 0))
        counts = {
            "received": _sum(ends, "in."),
            "canonical": _sum(ends, "event."),
            "decided": _sum(claims, "event."),
            "copies": sum(state.next_seq - 1 for state in subscriptions),
            "delivered": sum(delivered(state) for state in subscriptions),
        }
        return Sample(self._now(), counts, lags)

    async def _ends(self) -> dict[tuple[str, int], int]:
        if self._looks % _PLACES_EVERY == 0:
            self._places = await self._worked_places()
        self._looks += 1
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap, client_id="hub-gateway-samples"
            )
            await consumer.start()
            self._consumer = consumer
        found = await self._consumer.end_offsets(self._places) if self._places else {}
        return {(self._settings.plain(at.topic), at.partition): end for at, end in found.items()}

    async def _worked_places(self) -> list[TopicPartition]:
        prefix = self._settings.topic_prefix
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        try:
            await admin.start()
            names = [
                name
                for name in await admin.list_topics()
                if name.startswith(prefix) and is_worked(name.removeprefix(prefix))
            ]
            described = await admin.describe_topics(names) if names else []
        finally:
            await admin.close()
        return [
            TopicPartition(topic["topic"], part["partition"])
            for topic in described
            for part in topic["partitions"]
        ]

    async def _let_go(self) -> None:
        consumer, self._consumer, self._looks = self._consumer, None, 0
        if consumer:
            with suppress(KafkaError, OSError):
                await consumer.stop()


def is_worked(topic: str) -> bool:
    """Whether a worker reads the topic (declared name)."""
    return topic.startswith(("in.", "event.")) or (
        topic.startswith("program.") and topic.endswith(".reply")
    )


def delivered(state: SubscriptionState) -> int:
    """Copies of a subscription that reached the receiver's side."""
    given = state.next_seq - 1
    if state.mode == "webhook":
        return given - state.waiting - state.parked
    # Of a program that fetches only its own word tells that a copy arrived.
    return min(given, state.acked_seq if state.mode == "pull" else state.sent_seq)


def _sum(counts: dict[tuple[str, int], int], start: str) -> int:
    return sum(count for (topic, _), count in counts.items() if topic.startswith(start))
