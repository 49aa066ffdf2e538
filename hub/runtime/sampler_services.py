"""Sampler services: pictures, ``/metrics``, OTLP and alerts as one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.kernel.clocks import clock_from, epoch_ms
from hub.kernel.settings import Settings
from hub.monitoring.messages import Sentence
from hub.monitoring.pictures import Picture
from hub.runtime import http_servers
from hub.runtime.alerting import Alerting
from hub.runtime.channel_secrets import ChannelSecrets
from hub.runtime.sampler_pages import Exposition, address
from hub.runtime.samplers import Sampler
from hub.transports.otlp import OtlpSender


class _Exporter:
    """Sends the newest picture; while the collector is slow, later pictures replace each other."""

    def __init__(self, sender: OtlpSender, exposition: Exposition) -> None:
        self._sender, self._exposition = sender, exposition
        self.bell = asyncio.Event()

    async def run(self) -> None:
        try:
            while True:
                await self.bell.wait()
                self.bell.clear()
                picture = self._exposition.picture
                if picture is not None:
                    await self._sender.send(self._exposition.collect(), picture.at)
        finally:
            await self._sender.close()


@asynccontextmanager
async def sampling(
    settings: Settings,
    kafka: str,
    database: str,
    sentence: Sentence,
    *,
    seconds: float = 5.0,
) -> AsyncIterator[str]:
    """Sample until the block ends.

    Args:
        settings: Of this process.
        kafka: Bootstrap servers.
        database: DSN.
        sentence: Words of a finding.
        seconds: Between pictures.

    Yields:
        The address of the pages, without a slash at the end.

    Raises:
        ConfigurationError: a setting is wrong.
        HubError: the port is taken.
    """
    http_servers.check(address(settings))
    clock = clock_from(settings.clock, synthetic_people=settings.synthetic_people)

    def now() -> int:
        return epoch_ms(clock.now())

    exposition = Exposition(now)
    secrets = ChannelSecrets(settings)
    alerting = Alerting(database, sentence, exposition, now, secrets, alive_url=settings.alive_url)
    otlp = settings.otlp_endpoint
    exporter = _Exporter(OtlpSender(otlp), exposition) if otlp else None

    async def seen(picture: Picture) -> None:
        exposition.picture = picture
        await alerting.seen(picture)
        if exporter is not None:
            exporter.bell.set()

    stop = asyncio.Event()
    sampler = Sampler(settings, kafka, database, seen=seen, seconds=seconds)
    async with (
        http_servers.serving(exposition.app(), address(settings)) as (url, _server),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(sampler.run(stop))
        group.create_task(alerting.run(stop))
        exporting = group.create_task(exporter.run()) if exporter is not None else None
        try:
            yield url
        finally:
            stop.set()
            if exporting is not None:
                exporting.cancel()
