"""Playing the story, waiting for each step, and judging what the programs really received."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.cli.demos.entering import Entering
from hub.cli.demos.stages import Stage
from hub.embedded.city.expectations import Difference, Expected, Seen, differences
from hub.embedded.city.stories import Step, story
from hub.kernel.clocks import SystemClock, epoch_ms

KILL = "HUB_DEMO_KILL_WORKER"
"""For tests: the worker is killed after so many entries of the load."""

Tell = Callable[[Step], None]

_TICK = 0.05
_STEP_SECONDS = 10.0
_PACE_SECONDS = 0.2
_CALM = 2
_CALM_SECONDS = 0.2
_QUIET_SECONDS = 30.0


class Outcome(NamedTuple):
    """What came of a run.

    Attributes:
        wrong: Copies missing or too many.
        dead: Dead letters by code, wanted and found, where they differ.
        facts: Facts by type, wanted and found, where they differ.
        notes: Further findings, Chinese and English.
        latency: Seconds from a department's acknowledged grant to each of its referrals.
        entered: Records by department and way.
        steps: Each step with the copies that came.
        restarts: How often the worker was started again.
        seconds: How long the story took.
    """

    wrong: list[Difference]
    dead: dict[str, tuple[int, int]]
    facts: dict[str, tuple[int, int]]
    notes: list[tuple[str, str]]
    latency: list[float]
    entered: Counter[tuple[str, str]]
    steps: list[tuple[Step, int]]
    restarts: int
    seconds: float

    @property
    def good(self) -> bool:
        """Whether every expectation holds."""
        return not (self.wrong or self.dead or self.facts or self.notes)

    def percentile(self, part: int) -> float:
        """Seconds below which this part of the latencies lies, in percent."""
        if len(self.latency) < 2:
            return self.latency[0] if self.latency else 0.0
        return statistics.quantiles(self.latency, n=100, method="inclusive")[part - 1]


class Play:
    """One run of the story.

    Args:
        stage: Where it plays.
        tell: Called with each step when it begins.
    """

    def __init__(self, stage: Stage, tell: Tell) -> None:
        self._stage = stage
        self._tell = tell
        self._steps = story(stage.town.cast)
        self._acked: dict[str, float] = {}
        self._entered: Counter[tuple[str, str]] = Counter()
        self._expected: list[Expected] = []
        self._wanted: Counter[Seen] = Counter()
        self._facts: Counter[str] = Counter()
        self._dead: Counter[str] = Counter()
        self._began = 0
        self._kill_at = int(os.environ.get(KILL, "0"))

    async def run(self) -> Outcome:
        """Play every step, wait until nothing moves, judge."""
        await self._calm()
        self._stage.observer.forget()
        self._began, begin = epoch_ms(SystemClock().now()), time.monotonic()
        async with Entering(self._stage) as entering:
            for step in self._steps:
                self._tell(step)
                await self._step(step, entering)
        seconds = time.monotonic() - begin
        quiet = await self._calm()
        return await self._judged(seconds, quiet=quiet)

    async def _step(self, step: Step, entering: Entering) -> None:
        for number, entry in enumerate(step.entries, 1):
            way = await entering.enter(entry)
            now = time.monotonic()
            self._acked.update((family, now) for family in entry.families)
            self._entered[entry.connector, way] += len(entry.records) or 1
            if step.paced:
                if number == self._kill_at:
                    self._stage.worker.kill()
                await asyncio.sleep(_PACE_SECONDS)
        self._expected += step.copies
        for one in step.copies:
            self._wanted[one.program, one.type, one.subject] += one.times
        self._facts.update(step.facts)
        self._dead.update(step.dead_letters)
        limit = time.monotonic() + _STEP_SECONDS
        while time.monotonic() < limit:
            if await self._arrived():
                return
            await asyncio.sleep(_TICK)

    async def _arrived(self) -> bool:
        """Whether at least everything expected so far is there."""
        observer = self._stage.observer
        if self._facts - observer.fact_types():
            return False
        if any(observer.counts[seen] < count for seen, count in self._wanted.items()):
            return False
        return await observer.decided() and not self._dead - await self._dead_letters()

    async def _dead_letters(self) -> Counter[str]:
        rows = await self._stage.pool.fetch(
            "SELECT code, count(*) FROM dead_letter WHERE first_failed_at >= $1 GROUP BY code",
            self._began,
        )
        return Counter({row[0]: row[1] for row in rows})

    async def _calm(self) -> bool:
        """Wait until nothing moves any more; False: it did not come to rest."""
        limit, calm = time.monotonic() + _QUIET_SECONDS, 0
        places = self._stage.places("event.", "program.")
        async with _reader(self._stage.settings.kafka, places) as reader:
            while calm < _CALM:
                if time.monotonic() > limit:
                    return False
                calm = calm + 1 if await self._still(reader) else 0
                await asyncio.sleep(_CALM_SECONDS)
        return True

    async def _still(self, reader: AIOKafkaConsumer) -> bool:
        stage = self._stage
        ends = await reader.end_offsets(list(reader.assignment()))
        rows = await stage.pool.fetch("SELECT topic, part, next_offset FROM partition_claim")
        done = {(row[0], row[1]): row[2] for row in rows}
        decided = all(
            end <= done.get((place.topic, place.partition), 0)
            for place, end in ends.items()
            if not place.topic.endswith(".inbox")
        )
        open_rows = await stage.pool.fetch(
            "SELECT id, next_seq - 1 AS last, (SELECT count(*) FROM outbox o"
            " WHERE o.subscription = s.id) AS queued, (SELECT count(*) FROM delivery d WHERE"
            " d.subscription = s.id AND d.state = 'waiting') AS waiting, sent_seq, acked_seq, mode"
            " FROM subscription s"
        )
        return decided and all(
            row["queued"] == row["waiting"] == 0 and _received(row, stage.receivers.last(row["id"]))
            for row in open_rows
        )

    async def _judged(self, seconds: float, *, quiet: bool) -> Outcome:
        stage, observer = self._stage, self._stage.observer
        notes = []
        if not quiet:
            notes.append(("枢纽未归于平静", "the hub did not come to rest"))
        if stage.receivers.gaps() or observer.doubled:
            notes.append(("编号有缺口或重复", "numbers with gaps, or copies passed on twice"))
        if stage.receivers.refused:
            notes.append(("有签名不符的推送", "webhooks with a wrong signature"))
        return Outcome(
            differences(self._expected, observer.seen()),
            _differ(self._dead, await self._dead_letters()),
            _differ(self._facts, observer.fact_types()),
            notes,
            self._latencies(),
            self._entered,
            [(step, sum(one.times for one in step.copies)) for step in self._steps],
            stage.worker.restarts,
            seconds,
        )

    def _latencies(self) -> list[float]:
        found = []
        for arrival in self._stage.observer.arrivals:
            _, kind, subject = arrival.seen
            acked = self._acked.get(subject.partition(".")[0])
            if acked is not None and kind == "referral.created":
                found.append(max(0.0, arrival.at - acked))
        return found


def _differ(wanted: Counter[str], found: Counter[str]) -> dict[str, tuple[int, int]]:
    return {
        name: (wanted[name], found[name])
        for name in sorted(wanted.keys() | found.keys())
        if wanted[name] != found[name]
    }


def _received(row: asyncpg.Record, last: int) -> bool:
    """Whether a program has everything that was numbered for it."""
    if row["mode"] == "kafka" and last == 0:
        # Nothing came in this run: what was sent before was read by an earlier one.
        return bool(row["sent_seq"] >= row["last"])
    if row["mode"] == "webhook":
        return True
    if row["mode"] == "pull":
        return bool(row["acked_seq"] >= row["last"])
    return bool(last >= row["last"])


@asynccontextmanager
async def _reader(kafka: str, places: list[TopicPartition]) -> AsyncIterator[AIOKafkaConsumer]:
    reader = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await reader.start()
    # Assigned and paused: the client then keeps the topics' metadata, and reads nothing.
    reader.assign(places)
    reader.pause(*places)
    try:
        yield reader
    finally:
        await reader.stop()
