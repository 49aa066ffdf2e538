"""Webhook lanes: copies of webhook subscriptions, retried for a day, in order for each person.

A failing copy holds up later copies of the same person only. After the last try it is parked:
visible as a gap in the numbers, which the receiver can fetch. The breaker pauses a receiver that
fails altogether and lets one copy through from time to time; it never drops anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import asyncpg
import structlog

from hub.contracts.cloudevents import with_sequence
from hub.model.outbox import Headers, unpack
from hub.runtime.metrics import ALARMS, COPIES
from hub.runtime.stages import Backoff, Stage, is_known_fault
from hub.store import deliveries, subscriptions
from hub.store.connections import close, connect
from hub.store.deliveries import Delivery
from hub.store.failpoints import passed
from hub.store.subscriptions import Subscription

TRIES = 7
_FIRST_MS = 25_000
_MOST_MS = 52_000_000
_AT_ONCE = 8
_BREAK_AFTER = 5
_PROBE_MS = 30_000
_POLL_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Answer(NamedTuple):
    """What came of one try."""

    status: int
    """HTTP status; 0: no answer."""
    error: str = ""
    """Short text without personal data."""


Sender = Callable[[str, Delivery, Headers], Awaitable[Answer]]
"""Sends one copy to the address of a subscription; never raises for what a receiver does."""


def retry_after_ms(attempts: int) -> int:
    """Pause after so many tries: 25 s × 4ⁿ, at most 52 000 s; seven tries take about a day."""
    power: int = 4 ** (attempts - 1)
    return min(_FIRST_MS * power, _MOST_MS)


def is_final(status: int) -> bool:
    """Whether the receiver refuses the copy as such, so that trying again is no use."""
    return 400 <= status < 500 and status not in {408, 429}


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
        if now < one.open_until:
            return 0
        limit = _AT_ONCE if one.failures < _BREAK_AFTER else 1
        copies = await deliveries.ready(connection, one, now=now, limit=limit)
        passed("hook.before")
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
        attempts = copy.attempts + 1
        if 200 <= answer.status < 300:
            await deliveries.settle(connection, one, copy, state=deliveries.SENT, now=now)
            COPIES.labels(one.id).inc()
            await self._judge(connection, one, failed=False)
            return
        error = f"{answer.status} {answer.error}".strip()
        if is_final(answer.status) or attempts >= TRIES:
            state, next_at = deliveries.PARKED, 0
            log.error("copy parked", subscription=one.id, seq=copy.seq, status=answer.status)
            ALARMS.labels("copy_parked").inc()
        else:
            state, next_at = deliveries.WAITING, now + retry_after_ms(attempts)
        await deliveries.settle(
            connection, one, copy, state=state, now=now, next_at=next_at, error=error
        )
        await self._judge(connection, one, failed=not is_final(answer.status))

    async def _judge(
        self, connection: asyncpg.Connection, one: Subscription, *, failed: bool
    ) -> None:
        """Open the breaker after several failures in a row; a success closes it."""
        failures = one.failures + 1 if failed else 0
        is_open = failures >= _BREAK_AFTER
        if not failures and not one.failures:
            return
        one.failures = failures
        one.open_until = self._stage.now() + _PROBE_MS if is_open else 0
        if failures == _BREAK_AFTER:
            log.error("breaker open", subscription=one.id)
            ALARMS.labels("breaker_open").inc()
        await subscriptions.breaker(connection, one, failures=failures, open_until=one.open_until)
