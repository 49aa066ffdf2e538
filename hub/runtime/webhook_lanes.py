"""Webhook lanes: copies of webhook subscriptions, retried for a day, in order for each person.

A failing copy holds up later copies of the same person only. After the last try it is parked:
visible as a gap in the numbers, which the receiver can fetch. The breaker pauses a receiver that
fails altogether and lets one copy through from time to time; it never drops anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import asyncpg
import structlog

from hub.contracts.cloudevents import with_sequence
from hub.kernel.failpoints import passed
from hub.model.outbox import Headers, unpack
from hub.runtime.metrics import ALARMS, COPIES
from hub.runtime.stages import Backoff, Stage, is_known_fault
from hub.store import deliveries, subscriptions
from hub.store.connections import close, connect
from hub.store.deliveries import Delivery
from hub.store.subscriptions import Subscription
from hub.transports.breakers import THRESHOLD, Breaker
from hub.transports.webhooks import Answer, Delivered, Retry, outcome_of

_AT_ONCE = 8
_POLL_SECONDS = 0.5

log = structlog.get_logger(__name__)

Sender = Callable[[str, Delivery, Headers], Awaitable[Answer]]
"""Sends one copy to the address of a subscription; never raises for what a receiver does."""


class WebhookLanes:
    """One task for each webhook subscription this worker owns.

    Args:
        stage: The worker's surroundings.
        send: Does the HTTP request.
    """

    def __init__(self, stage: Stage, send: Sender | None) -> None:
        self._stage = stage
        self._send = send
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def follow(self, held: Mapping[str, Subscription]) -> None:
        """Start lanes for subscriptions that were taken, end those of lost ones."""
        wanted = {
            (one.id, one.epoch): one
            for one in held.values()
            if one.mode == subscriptions.WEBHOOK and self._send is not None
        }
        for key in self._tasks.keys() - wanted.keys():
            self._tasks.pop(key).cancel()
        for key, one in wanted.items():
            if key not in self._tasks:
                self._tasks[key] = asyncio.create_task(self._run(one))

    def wake(self) -> None:
        """New copies were numbered."""
        self._wake.set()

    async def stop(self) -> None:
        """Let requests under way end, then stop."""
        _done, late = (
            await asyncio.wait(self._tasks.values(), timeout=3) if self._tasks else ((), ())
        )
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, one: Subscription) -> None:
        backoff = Backoff()
        connection: asyncpg.Connection | None = None
        try:
            while not self._stage.stopping.is_set():
                try:
                    connection = connection or await connect(self._stage.settings.database)
                    if not await self._round(connection, one):
                        await self._rest()
                    backoff.reset()
                except Exception as error:
                    if not is_known_fault(error):
                        raise self._stage.end(f"webhook {one.id}", error) from error
                    await close(connection)
                    connection = None
                    await self._stage.pause(backoff.step())
        finally:
            await close(connection)

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)
        except TimeoutError:
            return
        self._wake.clear()

    async def _round(self, connection: asyncpg.Connection, one: Subscription) -> int:
        """Try what may be tried now; returns how many copies that were."""
        now = self._stage.now()
        limit = Breaker(one.failures, one.open_until).allowed(now, _AT_ONCE)
        if not limit:
            return 0
        copies = await deliveries.ready(connection, one, now=now, limit=limit)
        passed("hook.before", connection.terminate)
        answers = await asyncio.gather(*(self._try(one, copy) for copy in copies))
        for copy, answer in zip(copies, answers, strict=True):
            await self._settle(connection, one, copy, answer)
        return len(copies)

    async def _try(self, one: Subscription, copy: Delivery) -> Answer:
        if self._send is None:
            return Answer(0, "no sender")
        headers = with_sequence(unpack(copy.headers), copy.seq, copy.generation)
        answer = await self._send(one.id, copy, headers)
        passed("hook.ok")
        return answer

    async def _settle(
        self, connection: asyncpg.Connection, one: Subscription, copy: Delivery, answer: Answer
    ) -> None:
        now = self._stage.now()
        match outcome_of(answer, copy.attempts + 1):
            case Delivered():
                state, next_at, error = deliveries.SENT, 0, None
                COPIES.labels(one.id).inc()
            case Retry(after, reason):
                state, next_at, error = deliveries.WAITING, now + after * 1000, reason
            case parked:
                state, next_at, error = deliveries.PARKED, 0, parked.reason
                log.error("copy parked", subscription=one.id, seq=copy.seq, reason=error)
                ALARMS.labels("copy_parked").inc()
        await deliveries.settle(
            connection, one, copy, state=state, now=now, next_at=next_at, error=error
        )
        await self._judge(connection, one, reached=state != deliveries.WAITING)

    async def _judge(
        self, connection: asyncpg.Connection, one: Subscription, *, reached: bool
    ) -> None:
        """Open the breaker after several failures in a row; an answer closes it."""
        before = Breaker(one.failures, one.open_until)
        after = before.after(self._stage.now(), reached=reached)
        if after == before:
            return
        one.failures, one.open_until = after
        if after.failures == THRESHOLD:
            log.error("breaker open", subscription=one.id)
            ALARMS.labels("breaker_open").inc()
        await subscriptions.breaker(
            connection, one, failures=after.failures, open_until=after.open_until
        )
