"""Broker: one producer that is opened in the background, so that the gateway starts without it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress

import structlog
from aiokafka.errors import KafkaError

from hub.gateway.problems import ProblemError
from hub.kernel.settings import Settings
from hub.transports.publishers import Published, Publisher
from hub.transports.records import RawRecord

ANSWER_WITHIN = 15.0
"""Seconds a caller waits for the broker's acknowledgement."""
STALLED_AFTER = 3.0
"""Seconds that the oldest record may wait before new ones are refused at once."""
_RETRY = 2.0
_FRAMING = 1024

log = structlog.get_logger(__name__)


class BrokerLink:
    """Publishes and waits for the acknowledgement, or says that nothing was accepted.

    Args:
        bootstrap: Bootstrap servers.
        settings: Topic prefix and size limit.
    """

    def __init__(self, bootstrap: str, settings: Settings) -> None:
        self._settings = settings
        self._publisher = Publisher(bootstrap, "hub-gateway", settings.max_body)
        self._opened = AsyncExitStack()
        self._opening: asyncio.Task[None] | None = None
        self._waiting: dict[asyncio.Task[Published], tuple[float, int]] = {}
        self.ready = False

    def start(self) -> None:
        """Begin to connect."""
        self._opening = asyncio.create_task(self._open(), name="broker")

    async def _open(self) -> None:
        while True:
            try:
                await self._opened.enter_async_context(self._publisher)
            except (KafkaError, OSError) as error:
                log.warning("gateway.broker_unreachable", error=type(error).__name__)
                await asyncio.sleep(_RETRY)
            else:
                self.ready = True
                return

    async def close(self) -> None:
        """Send what is under way and let go."""
        self.ready = False
        if self._opening:
            self._opening.cancel()
            with suppress(asyncio.CancelledError):
                await self._opening
        await self._opened.aclose()

    async def publish(self, records: Iterable[RawRecord]) -> None:
        """Return when the broker has acknowledged every record.

        What waits is bounded, and while the oldest record has waited for a while nothing new is
        taken: a caller that is told so at once can keep its record and come back.

        Raises:
            ProblemError: 503, a record may not have arrived; the caller sends it again.
        """
        wire = self._settings.wire
        batch = [record._replace(topic=wire(record.topic)) for record in records]
        size = sum(len(record.value or b"") + _FRAMING for record in batch)
        if not self.ready or self._is_stalled() or self._is_full(size):
            raise _unacknowledged()
        sending = asyncio.create_task(self._publisher.publish(batch))
        self._waiting[sending] = asyncio.get_running_loop().time(), size
        sending.add_done_callback(self._sent)
        try:
            # Left to itself when the caller is gone: only its end frees its memory.
            async with asyncio.timeout(ANSWER_WITHIN):
                await asyncio.shield(sending)
        except (KafkaError, OSError) as error:
            raise _unacknowledged() from error

    def _sent(self, sending: asyncio.Task[Published]) -> None:
        del self._waiting[sending]
        if not sending.cancelled():
            # Taken note of here, where nobody may wait for it any more.
            sending.exception()

    def _is_stalled(self) -> bool:
        if not self._waiting:
            return False
        since, _ = next(iter(self._waiting.values()))
        return asyncio.get_running_loop().time() - since > STALLED_AFTER

    def _is_full(self, size: int) -> bool:
        waiting = sum(bytes_ for _, bytes_ in self._waiting.values())
        return bool(waiting) and waiting + size > self._settings.gateway_in_flight


def _unacknowledged() -> ProblemError:
    headers = {"Retry-After": "5"}
    return ProblemError(503, "消息队列未确认", "The broker did not acknowledge", headers=headers)
