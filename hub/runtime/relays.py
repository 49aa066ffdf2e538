"""Relays: from the outbox to programs, in order, with a gapless number for each subscription.

A relay owns subscriptions through a fence. It numbers and logs what was committed, commits that,
and only then sends; on taking a subscription over it first sends again what the broker had not
acknowledged. A copy may so arrive twice, always with the same id and number.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from hub.contracts.cloudevents import with_sequence
from hub.kernel.failpoints import passed
from hub.kernel.person_keys import partition_of
from hub.model.outbox import unpack
from hub.runtime.clients import producer, renewed
from hub.runtime.metrics import ALARMS, BATCHES, COPIES
from hub.runtime.progress import Progress
from hub.runtime.sending import Batches
from hub.runtime.stages import Backoff, Stage, is_known_fault
from hub.runtime.tails import last_numbers
from hub.runtime.webhook_lanes import WebhookLanes
from hub.store import deliveries, leases, numberings, outbox, subscriptions
from hub.store.connections import FOR_QUEUES, FenceError, close, connect
from hub.store.deliveries import Delivery
from hub.store.subscriptions import Subscription

CHANNEL = "hub_outbox"
_POLL_SECONDS = 1.0
"""How long a queue goes unnoticed at most when neither bell nor NOTIFY came."""
_RENEW_SECONDS = 2.0
_MARGIN_SECONDS = 1.0
"""How long before its leases end a relay stops to send."""
_MOVED, _LEAST, _IN_MEMORY = 500, 10, 20_000
_TAKEN = 200
"""Subscriptions taken over at once: their topics are looked at before the leases run out."""

log = structlog.get_logger(__name__)


class Relay:
    """The deliver stage of one worker.

    Args:
        stage: The worker's surroundings.
        progress: Signs of life.
        webhooks: Carries the copies of webhook subscriptions.
    """

    def __init__(self, stage: Stage, progress: Progress, webhooks: WebhookLanes) -> None:
        self._stage = stage
        self._progress = progress
        self._webhooks = webhooks
        self._producer: Any = None
        self._connection: asyncpg.Connection | None = None
        self._held: dict[str, Subscription] = {}
        self._total = 0
        self._hurried = False
        self._renewed = -math.inf
        self._sure_until = -math.inf

    async def run(self) -> None:
        """Relay until the worker stops."""
        self._producer = producer(self._stage.settings.kafka)
        await self._stage.patient(self._producer.start)
        backoff = Backoff()
        try:
            while not self._stage.stopping.is_set():
                try:
                    await self._turn(await self._connected())
                    backoff.reset()
                except Exception as error:
                    if not is_known_fault(error):
                        raise self._stage.end("deliver", error) from error
                    await self._lose_all()
                    await self._stage.unblock(error)
                    self._producer = await renewed(self._producer, error)
                    await self._stage.pause(backoff.step())
            await self._give_back()
        finally:
            await self._producer.stop()
            await close(self._connection)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None:
            self._connection = await connect(self._stage.settings.database, **FOR_QUEUES)
            await self._connection.add_listener(CHANNEL, self._heard)
            if await numberings.recognise(self._connection, now=self._stage.now()):
                self._restored(numberings.COPIED)
        return self._connection

    def _heard(self, connection: Any, pid: int, channel: str, payload: object) -> None:
        del channel, payload
        if pid != connection.get_server_pid():
            self._stage.bell.set()

    async def _turn(self, connection: asyncpg.Connection) -> None:
        loop = asyncio.get_running_loop()
        pause = 0.0 if self._hurried else _RENEW_SECONDS
        if loop.time() - self._renewed > pause or not self._held:
            await self._balance(connection)
            self._renewed = loop.time()
        rung = self._stage.bell.is_set()
        self._stage.bell.clear()
        copies: list[Delivery] = []
        if rung or await outbox.is_waiting(connection):
            copies = await deliveries.move(
                connection,
                list(self._held.values()),
                limit=self._share(),
                now=self._stage.now(),
            )
        if copies:
            passed("relay.claimed", connection.terminate)
            await self._send(connection, copies)
        self._progress.moved()
        if rung and self._total > len(self._held):
            # Another worker owns what this one may have queued.
            await connection.execute(f"NOTIFY {CHANNEL}")
            await self._adopt(connection)
        if len(copies) < self._share():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stage.bell.wait(), _POLL_SECONDS)

    def _share(self) -> int:
        """Copies of one subscription to move at once, so that all of them fit into memory."""
        return max(_LEAST, min(_MOVED, _IN_MEMORY // max(1, len(self._held))))

    async def _balance(self, connection: asyncpg.Connection) -> None:
        """Keep our fair share of the subscriptions, all of them when we are alone."""
        owner = self._stage.owner
        # From before the leases are prolonged: what the database counts began later.
        began = asyncio.get_running_loop().time()
        await leases.acquire(connection, f"relay/{owner}", owner)
        relays = max(1, await leases.holders(connection, "relay/"))
        self._total = await subscriptions.count(connection)
        share = math.ceil(self._total / relays)
        if self._held:
            kept = await subscriptions.renew(
                connection, list(self._held.values()), seconds=leases.HELD_SECONDS
            )
            self._held = {name: one for name, one in self._held.items() if name in kept}
        self._sure_until = began + leases.HELD_SECONDS - _MARGIN_SECONDS
        surplus = list(self._held.values())[share:]
        if surplus:
            await subscriptions.renew(connection, surplus, seconds=0)
            for one in surplus:
                del self._held[one.id]
        short = len(self._held)
        await self._take(connection, share - short)
        self._hurried = len(self._held) - short == _TAKEN
        await self._webhooks.follow(self._held)

    async def _adopt(self, connection: asyncpg.Connection) -> None:
        """A first copy for a new subscription does not wait for the next balancing."""
        total = await subscriptions.count(connection)
        if total != self._total:
            self._renewed = -math.inf

    async def _take(self, connection: asyncpg.Connection, share: int) -> None:
        if share <= 0:
            return
        taken = await subscriptions.take(
            connection, self._stage.owner, min(share, _TAKEN), held=self._held
        )
        await self._compare(connection, taken)
        for one in taken:
            self._held[one.id] = one
            if one.mode == subscriptions.KAFKA:
                again = await deliveries.unsent(connection, one)
                if again:
                    log.info("sent again", subscription=one.id, copies=len(again))
                    await self._send(connection, again)
            if one.next_generation is not None:
                if not await numberings.renumber(connection, one, now=self._stage.now()):
                    raise FenceError
                log.warning("new generation", subscription=one.id, generation=one.generation)

    async def _compare(self, connection: asyncpg.Connection, taken: list[Subscription]) -> None:
        """Nothing is numbered before the topics have shown that no number is forgotten.

        Raises:
            FenceError: numbers are forgotten; whatever was taken is taken again with what follows.
        """
        settings = self._stage.settings
        topics = {
            one.id: settings.wire(one.topic)
            for one in taken
            if one.mode == subscriptions.KAFKA and one.topic.startswith("program.")
        }
        held = await last_numbers(settings.kafka, topics)
        if held and await numberings.outrun(connection, held):
            self._restored(numberings.OUTRUN)
            raise FenceError

    def _restored(self, why: str) -> None:
        log.error("database restored: numbers go on in a new generation", why=why)
        ALARMS.labels("database_restored").inc()

    async def _send(self, connection: asyncpg.Connection, copies: list[Delivery]) -> None:
        """Send numbered copies; the cursors move once the broker has acknowledged them."""
        batches = Batches(self._producer, self._stage.settings)
        cursors: dict[str, tuple[int, int]] = {}
        counts: dict[str, int] = {}
        parts: dict[str, int] = {}
        for copy in copies:
            one = self._held[copy.subscription]
            if one.mode != subscriptions.KAFKA:
                continue
            if copy.topic not in parts:
                parts[copy.topic] = await self._partitions(copy.topic)
            part = partition_of(copy.key, parts[copy.topic]) if copy.key else 0
            batches.add(copy.topic, part, copy.key or None, copy.body, _headers(copy))
            cursors[one.id] = one.epoch, copy.seq
            counts[one.id] = counts.get(one.id, 0) + 1
        if cursors:
            self._own()
            await batches.deliver()
            passed("relay.produced", connection.terminate)
            await subscriptions.sent(connection, cursors)
            passed("relay.marked", connection.terminate)
            BATCHES.labels("deliver").inc()
        for name, count in counts.items():
            COPIES.labels(name).inc(count)
        self._webhooks.wake({copy.subscription for copy in copies} - cursors.keys())

    def _own(self) -> None:
        """A relay that stood still may have lost what it holds; then it sends nothing more.

        What it would send has the numbers and bytes that the new owner sends, in the same order;
        a receiver is spared the repeats all the same.
        """
        if asyncio.get_running_loop().time() > self._sure_until:
            raise FenceError("leases may have run out")

    async def _partitions(self, topic: str) -> int:
        return len(await self._producer.partitions_for(self._stage.settings.wire(topic)))

    async def _lose_all(self) -> None:
        self._held = {}
        self._renewed = -math.inf
        await self._webhooks.follow({})
        await close(self._connection)
        self._connection = None

    async def _give_back(self) -> None:
        """On a graceful stop another worker may go on at once."""
        if self._connection is None:
            return
        try:
            await subscriptions.renew(self._connection, list(self._held.values()), seconds=0)
            owner = self._stage.owner
            await leases.release(self._connection, f"relay/{owner}", owner)
        except Exception as error:
            if not is_known_fault(error):
                raise self._stage.end("deliver", error) from error


def _headers(copy: Delivery) -> Any:
    headers = unpack(copy.headers)
    if copy.topic.startswith("event."):
        # The hub's own facts are numbered for the sake of sending them once, not for readers.
        return headers
    return with_sequence(headers, copy.seq, copy.generation)


async def cry(stage: Stage) -> None:
    """In a worker without relay: tell the others that something was queued."""
    connection: asyncpg.Connection | None = None
    try:
        while not stage.stopping.is_set():
            try:
                connection = connection or await connect(stage.settings.database)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stage.bell.wait(), _POLL_SECONDS)
                    stage.bell.clear()
                    await connection.execute(f"NOTIFY {CHANNEL}")
            except Exception as error:
                if not is_known_fault(error):
                    raise stage.end("notify", error) from error
                await close(connection)
                connection = None
                await stage.pause(_POLL_SECONDS)
    finally:
        await close(connection)
