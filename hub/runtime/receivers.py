"""Receivers: one webhook subscription each, with its copies in flight and its breaker.

A copy is given as soon as no earlier copy of its person waits and a place is free, so a slow
answer holds up one person and not the others. What a try came to is kept until the database has
it; a copy whose answer was lost is given again under the same id and number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from hub.contracts.cloudevents import with_sequence
from hub.kernel.failpoints import passed
from hub.model.outbox import Headers, unpack
from hub.runtime.metrics import ALARMS, COPIES
from hub.runtime.stages import Backoff, Stage, is_known_fault
from hub.store import subscriptions, tries
from hub.store.deliveries import Delivery
from hub.store.subscriptions import Subscription
from hub.store.tries import Result
from hub.transports.breakers import Breaker
from hub.transports.webhooks import Answer, Delivered, Retry, outcome_of

AT_ONCE = 16
"""Requests of one receiver under way at most."""
_LOOK_SECONDS = 2.0
_LAST_SECONDS = 3.0

log = structlog.get_logger(__name__)

Sender = Callable[[str, Delivery, Headers], Awaitable[Answer]]
"""Sends one copy to the address of a subscription; never raises for what a receiver does."""


class Receiver:
    """The lane of one webhook subscription this worker owns.

    Args:
        stage: The worker's surroundings.
        one: The subscription, with the breaker as it was left.
        send: Does the HTTP request.
        pool: The lanes' connections to the database.
    """

    def __init__(self, stage: Stage, one: Subscription, send: Sender, pool: asyncpg.Pool) -> None:
        self._stage = stage
        self._one = one
        self._send = send
        self._pool = pool
        self._breaker = Breaker(one.failures, one.open_until)
        self._flying: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._answers: list[tuple[Delivery, Answer]] = []
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until the worker stops or the subscription is another's."""
        backoff = Backoff()
        try:
            while not self._stage.stopping.is_set():
                try:
                    await self._turn()
                    backoff.reset()
                except Exception as error:
                    if not is_known_fault(error):
                        raise self._stage.end(f"webhook {self._one.id}", error) from error
                    await self._stage.pause(backoff.step())
            await self._finish()
        finally:
            for task in self._flying.values():
                task.cancel()

    async def _turn(self) -> None:
        self._wake.clear()
        await self._settle()
        now = self._stage.now()
        free = self._breaker.allowed(now, AT_ONCE) - len(self._flying)
        if free > 0:
            copies = await tries.ready(
                self._pool, self._one, now=now, limit=free, flying=self._flying
            )
            if copies:
                passed("hook.before")
            for copy in copies:
                number = copy.generation, copy.seq
                self._flying[number] = asyncio.create_task(self._try(copy))
        try:
            await asyncio.wait_for(self._wake.wait(), _LOOK_SECONDS)
        except TimeoutError:
            return

    async def _try(self, copy: Delivery) -> None:
        try:
            headers = with_sequence(unpack(copy.headers), copy.seq, copy.generation)
            answer = await self._send(self._one.id, copy, headers)
            passed("hook.ok")
            self._answers.append((copy, answer))
            self._wake.set()
        except Exception as error:  # noqa: BLE001 - a task of its own has nobody to raise to
            if not is_known_fault(error):
                self._stage.end(f"webhook {self._one.id}", error)
            del self._flying[copy.generation, copy.seq]

    async def _settle(self) -> None:
        """Write what tries came to; the copies stay in flight until that is committed."""
        taken = self._answers[:]
        if not taken:
            return
        now = self._stage.now()
        results = [self._result(copy, answer, now) for copy, answer in taken]
        await tries.settle(self._pool, self._one, results, now=now)
        del self._answers[: len(taken)]
        for copy, _ in taken:
            self._flying.pop((copy.generation, copy.seq), None)
        for result in results:
            self._tell(result)
        await self._judge([answer for _, answer in taken], results, now)

    def _result(self, copy: Delivery, answer: Answer, now: int) -> Result:
        match outcome_of(answer, copy.attempts + 1):
            case Delivered():
                return Result(copy, tries.SENT)
            case Retry(after, reason):
                return Result(copy, tries.WAITING, now + after * 1000, reason)
            case parked:
                why = tries.REFUSED if parked.refused else tries.EXHAUSTED
                return Result(copy, tries.PARKED, 0, parked.reason, why)

    def _tell(self, result: Result) -> None:
        if result.state == tries.SENT:
            COPIES.labels(self._one.id).inc()
        elif result.state == tries.PARKED:
            log.error(
                "copy parked",
                subscription=self._one.id,
                seq=result.copy.seq,
                reason=result.error,
                why=result.parked,
            )
            ALARMS.labels("copy_parked").inc()

    async def _judge(self, answers: list[Answer], results: list[Result], now: int) -> None:
        """Open the breaker after several failures in a row; an answer closes it."""
        before = after = self._breaker
        healed = False
        for answer, result in zip(answers, results, strict=True):
            reached = result.state == tries.SENT or result.parked == tries.REFUSED
            healed = healed or (reached and after.is_open)
            after = after.after(now, reached=reached)
            if not reached and answer.after:
                after = after.paused(now + answer.after * 1000)
        if after == before:
            return
        if after.is_open and not before.is_open:
            log.error("breaker open", subscription=self._one.id)
            ALARMS.labels("breaker_open").inc()
        if healed:
            log.info("breaker closed", subscription=self._one.id)
            await tries.heal(self._pool, self._one)
        await subscriptions.breaker(
            self._pool, self._one, failures=after.failures, open_until=after.open_until
        )
        self._breaker = after

    async def _finish(self) -> None:
        """On a graceful stop: requests under way may end, and what they came to is written."""
        if self._flying:
            await asyncio.wait(self._flying.values(), timeout=_LAST_SECONDS)
        try:
            await self._settle()
        except Exception as error:
            if not is_known_fault(error):
                raise self._stage.end(f"webhook {self._one.id}", error) from error
