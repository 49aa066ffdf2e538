"""Broker: one producer that is opened in the background, so that the gateway starts without it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress

import structlog
from aiokafka.errors import KafkaError

from hub.gateway.problems import ProblemError
from hub.kernel.settings import Settings
from hub.transports.publishers import Publisher
from hub.transports.records import RawRecord

ANSWER_WITHIN = 15.0
"""Seconds a caller waits for the broker's acknowledgement."""
_RETRY = 2.0

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

        Raises:
            ProblemError: 503, a record may not have arrived; the caller sends it again.
        """
        wire = self._settings.wire
        batch = [record._replace(topic=wire(record.topic)) for record in records]
        try:
            if not self.ready:
                raise ConnectionError
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._publisher.publish(batch)
        except (KafkaError, OSError) as error:
            raise ProblemError(
                503,
                "消息队列未确认",
                "The broker did not acknowledge",
                headers={"Retry-After": "5"},
            ) from error
