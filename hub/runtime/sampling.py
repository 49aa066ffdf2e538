"""Sampling: one look at broker and database, made into a picture."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping

import asyncpg
import orjson
from aiokafka.errors import KafkaError

from hub.kernel.alarms import PARTITION_STOPPED, TOPIC_REPLACED
from hub.kernel.settings import Settings
from hub.kernel.working_days import Calendar
from hub.monitoring import latencies
from hub.monitoring.connectors import Arrivals, Expected, connectors
from hub.monitoring.freshness import Span
from hub.monitoring.lags import Status
from hub.monitoring.offsets import LOST, Board, Commit, Log, Place
from hub.monitoring.pictures import Letters, Picture, Server, Worker
from hub.monitoring.programs import program
from hub.monitoring.rates import WINDOW_MS, Rates
from hub.monitoring.time_quality import Seen, TimeQuality
from hub.runtime.broker_soundings import BrokerSoundings
from hub.runtime.tasters import Taster
from hub.sdk.manifests import Manifest
from hub.store import soundings
from hub.store.connections import is_fault

LATENCY_MS = 300_000
"""Hops are measured over the copies of the last five minutes."""
GONE = 3
"""Pictures in a row without an answer after which the broker counts as away."""
PART_SECONDS = 10.0
"""A part that takes longer is left out: brokers that hang must not age the picture."""
PROMISE_MS = 60_000
ACCEPTED_MS = 3_600_000
"""Programs answer in their own time: an hour of answers."""
STOPS = frozenset({PARTITION_STOPPED, TOPIC_REPLACED})
_FAULTS = (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_STAGES = {"in": "intake", "event": "decide"}


def expected(manifests: Iterable[Manifest]) -> list[Expected]:
    """What the manifests let us expect."""
    return [
        Expected(one.id, item.id, item.topic, item.refresh.every_ms, item.refresh.working_days)
        for one in manifests
        for item in one.items
    ]


class Sampling:
    """Takes pictures; keeps what has to be remembered between them.

    Args:
        db: The sampler's connection.
        broker: Asks the broker.
        taster: Follows the events that pass.
        settings: For the topic prefix.
        manifests: Declared departments.
        calendar: Working days.
        window: Rates are means over so many ms.
    """

    def __init__(
        self,
        db: asyncpg.Connection,
        broker: BrokerSoundings,
        taster: Taster,
        settings: Settings,
        manifests: Mapping[str, Manifest],
        calendar: Calendar,
        window: int = WINDOW_MS,
    ) -> None:
        self._db, self._broker, self._settings = db, broker, settings
        self._expected = expected(manifests.values())
        self._calendar = calendar
        self._board, self._rates, self._arrivals = Board(Rates(window)), Rates(window), Arrivals()
        self._logs: dict[Place, Log] = {}
        self._known_newest = False
        self._quality, self._taster = TimeQuality(), taster
        self._recent: deque[Seen] = deque(maxlen=2000)
        self._broker_failures = 0
        self._last: Picture | None = None

    async def look(self, number: int, now: int) -> Picture:
        """One picture; what cannot be read is named in it and left out.

        Args:
            number: Of the picture.
            now: ms since 1970.
        """
        started = time.perf_counter()
        picture = Picture(number, now, 0)
        for name, part in (
            ("broker", self._broker_part),
            ("taste", self._taste),
            ("programs", self._programs),
            ("letters", self._letters),
            ("connectors", self._connectors),
            ("workers", self._workers),
            ("hops", self._hops),
            ("work", self._work),
            ("server", self._server),
        ):
            # A broker that has just not answered is not asked again for the same picture.
            if name != "taste" or "broker" not in picture.failed:
                await self._guarded(picture, name, part)
        _stages(picture)
        picture.took = round((time.perf_counter() - started) * 1000)
        self._last = picture
        return picture

    async def _guarded(
        self, picture: Picture, name: str, part: Callable[[Picture], Awaitable[None]]
    ) -> None:
        try:
            async with asyncio.timeout(PART_SECONDS):
                await part(picture)
        except _FAULTS as error:
            broker = isinstance(error, KafkaError | OSError | TimeoutError)
            statement = isinstance(error, asyncpg.QueryCanceledError)
            if not broker and not statement and not is_fault(error):
                raise
            picture.failed[name] = type(error).__name__
            if name == "taste":
                await self._taster.close()
            if name == "broker":
                self._broker_failures += 1
                self._carry_on(picture)
                await self._broker.close()

    def _carry_on(self, picture: Picture) -> None:
        """One slow answer of the broker is no empty board: what was last known stays."""
        last = self._last
        if last is not None and self._broker_failures < GONE:
            picture.partitions, picture.topics = last.partitions, last.topics
            picture.groups = last.groups

    async def _broker_part(self, picture: Picture) -> None:
        now = picture.at
        rows = await soundings.claims(self._db)
        self._logs = logs = await self._broker.logs()
        commits = {
            (group, place[0], place[1]): Commit(row["next_offset"], row["committed_at"])
            for row in rows
            if (group := _group(place := (self._settings.plain(row["topic"]), row["part"])))
        }
        commits |= await self._broker.foreign(logs, now)
        behind = [
            ((topic, part), commit.offset)
            for (_, topic, part), commit in commits.items()
            if (log := logs.get((topic, part))) and log.start <= commit.offset < log.end
        ]
        late = await self._broker.ages(behind, now)
        picture.partitions = self._board.partitions(commits, logs, late, now)
        await self._stops(picture, rows)
        picture.topics = self._board.topics(logs, picture.partitions, now)
        picture.groups = self._board.groups(picture.partitions, picture.topics)
        self._broker_failures = 0

    async def _stops(self, picture: Picture, rows: soundings.Rows) -> None:
        """Partitions that a worker stopped or an operator holds."""
        held = {(self._settings.plain(r["topic"]), r["part"]) for r in rows if r["held_by"]}
        stopped = {
            self._settings.plain(row["place"]): row["kind"]
            for row in await soundings.alarms(self._db)
            if row["cleared_at"] is None and row["kind"] in STOPS
        }
        for one in picture.partitions:
            if one.group.startswith("hub."):
                one.held = (one.topic, one.part) in held
                one.stopped = stopped.get(f"{one.topic}/{one.part}", "")
                if one.stopped and one.status != LOST:
                    one.status = Status.STOP.name

    async def _taste(self, picture: Picture) -> None:
        taste = await self._taster.taste(self._logs)
        self._quality.note(taste.events)
        self._recent.extend(taste.events)
        picture.quality = self._quality.counts(picture.at)

    async def _programs(self, picture: Picture) -> None:
        rows = await soundings.subscriptions(self._db)
        picture.programs = [program(dict(row), self._rates, picture.at) for row in rows]

    async def _letters(self, picture: Picture) -> None:
        rows = await soundings.letters(self._db)
        picture.letters = [
            Letters(row["code"], _short(row["source"]), row["count"], row["first"], row["last"])
            for row in rows
        ]

    async def _connectors(self, picture: Picture) -> None:
        now = picture.at
        newest: dict[str, int] = {}
        topics = {one.topic for one in self._expected}
        if not self._known_newest and self._logs:
            newest = await self._broker.newest(self._logs, topics)
            self._known_newest = True
        self._arrivals.note(
            {p: log for p, log in self._logs.items() if p[0] in topics}, newest, now
        )
        for topic in topics:
            self._rates.count(f"end/{topic}", self._arrivals.end(topic), now)
        beats = {
            row["connector"]: {
                "at": row["at"],
                "paused": row["paused"],
                "items": orjson.loads(row["doc"]).get("items", {}),
            }
            for row in await soundings.heartbeats(self._db)
        }
        planned: dict[str, list[Span]] = {}
        for row in await soundings.maintenance(self._db, now - 400 * 86_400_000):
            planned.setdefault(row["department"], []).append(Span(row["from_at"], row["to_at"]))
        rejected: dict[str, int] = {}
        for one in picture.letters:
            rejected[one.source] = rejected.get(one.source, 0) + one.count
        picture.connectors = connectors(
            self._expected,
            arrivals=self._arrivals,
            beats=beats,
            planned=planned,
            rejected=rejected,
            rates=self._rates,
            calendar=self._calendar,
            now=now,
        )

    async def _workers(self, picture: Picture) -> None:
        slots = {
            row["owner"]: row["name"].removeprefix("slot/")
            for row in await soundings.leases(self._db)
            if row["name"].startswith("slot/")
        }
        claims = await soundings.claims(self._db)
        subscriptions = await soundings.subscriptions(self._db)
        owners = slots.keys() | {row["owner"] for row in subscriptions if row["owned"]}
        picture.workers = [
            Worker(
                owner,
                slots.get(owner, ""),
                sum(row["owner"] == owner for row in claims),
                sum(row["owner"] == owner and row["owned"] for row in subscriptions),
                max((row["committed_at"] for row in claims if row["owner"] == owner), default=None),
            )
            for owner in sorted(owners)
        ]

    async def _hops(self, picture: Picture) -> None:
        rows = await soundings.spans(self._db, picture.at - LATENCY_MS)
        late = sum(row["moved_at"] - row["created_at"] > PROMISE_MS for row in rows)
        picture.burn = latencies.burn(late, len(rows), allowed=0.001)
        accepted = await soundings.accepted(self._db, picture.at - ACCEPTED_MS)
        fresh = [one for one in self._recent if one.received > picture.at - LATENCY_MS]
        decided = await soundings.decided(self._db, [one.event_id for one in fresh])
        spans = {
            "recorded": [one.recorded - one.occurred for one in fresh],
            "received": [one.received - one.recorded for one in fresh],
            "committed": [
                decided[one.event_id] - one.received for one in fresh if one.event_id in decided
            ],
            "delivered": [row["moved_at"] - row["created_at"] for row in rows],
            "accepted": accepted,
        }
        picture.hops = {
            hop: latencies.percentiles([max(0, one) for one in each]) for hop, each in spans.items()
        }

    async def _work(self, picture: Picture) -> None:
        found = await soundings.open_work(self._db, picture.at)
        picture.overdue = found["referrals_late"] + found["tasks_late"]
        picture.open = {name: found[name] for name in ("referrals", "tasks", "cases")}

    async def _server(self, picture: Picture) -> None:
        found = await soundings.server(self._db)
        brokers = self._broker.brokers
        picture.server = Server(
            brokers.up if brokers else 0,
            self._broker_failures < GONE,
            brokers.under_replicated if brokers else None,
            brokers.offline if brokers else None,
            True,  # noqa: FBT003 - it has just answered
            **found,
        )


def _group(place: Place) -> str:
    """The hub's group that reads a topic."""
    topic = place[0]
    if topic.endswith(".reply"):
        return "hub.decide"
    stage = _STAGES.get(topic.partition(".")[0])
    return f"hub.{stage}" if stage else ""


def _short(source: str) -> str:
    return source.rpartition("/")[2]


def _stages(picture: Picture) -> None:
    """Rates and totals of the five stages on the map."""
    ends = {one.topic: one for one in picture.topics}
    groups = {one.group: one for one in picture.groups}
    given = [one for one in picture.topics if one.topic.startswith("in.")]
    canonical = [one for one in picture.topics if one.topic.startswith("event.")]
    picture.stages = {
        "received": sum(one.rate for one in given),
        "canonical": sum(one.rate for one in canonical),
        "decided": groups["hub.decide"].consumed if "hub.decide" in groups else 0.0,
        "delivered": sum(one.rate for one in picture.programs),
    }
    picture.totals = {
        "received": sum(one.end for one in given),
        "canonical": sum(one.end for one in canonical),
        "decided": sum(
            one.offset or 0
            for one in picture.partitions
            if one.group == "hub.decide" and one.topic in ends
        ),
        "copies": sum(one.numbered for one in picture.programs),
        "delivered": sum(one.delivered for one in picture.programs),
    }
