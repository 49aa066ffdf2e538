"""Sampler pages: ``/metrics`` and ``/health`` of the sampler, out of its newest picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.kernel.settings import Settings
from hub.monitoring.expositions import families
from hub.monitoring.pictures import Picture
from hub.runtime.http_servers import Address

DEAD_MS = 60_000
"""A picture that old means that nobody samples."""


class Exposition(Collector):
    """The newest picture of this process as metrics.

    Args:
        now: ms since 1970, by the hub's clock.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.picture: Picture | None = None
        self.registry = CollectorRegistry()
        self.notices = Counter(
            "hub_alert_notices",
            "Alert messages, by channel and what became of them",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self.alerts: dict[tuple[str, str], int] = {}
        self.registry.register(self)

    def describe(self) -> Iterator[Metric]:
        """Names are told by what is collected; nothing is registered twice."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The picture's figures, its age and the alerts that fire."""
        firing = GaugeMetricFamily(
            "hub_alerts_firing", "Alerts that fire now", labels=["rule", "severity"]
        )
        for place, count in self.alerts.items():
            firing.add_metric(place, count)
        yield firing
        if self.picture is None:
            return
        age = max(0, self._now() - self.picture.at) / 1000
        yield GaugeMetricFamily("hub_picture_age_seconds", "Age of the picture", value=age)
        yield from families(self.picture)

    @property
    def is_alive(self) -> bool:
        """Whether this process took a picture a short time ago."""
        return self.picture is not None and self._now() - self.picture.at < DEAD_MS

    def app(self) -> Starlette:
        """The pages as an ASGI app."""
        return Starlette(routes=[Route("/metrics", self._metrics), Route("/health", self._health)])

    async def _metrics(self, _request: Request) -> Response:
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)

    async def _health(self, _request: Request) -> Response:
        """200 while pictures are taken; 503 while another process samples, or nobody."""
        return JSONResponse({"sampling": self.is_alive}, 200 if self.is_alive else 503)


def address(settings: Settings) -> Address:
    """Where the pages are."""
    return Address(
        settings.sampler_host,
        settings.sampler_port,
        settings.sampler_public,
        ("sampler", "采样进程"),
        "HUB_SAMPLER",
    )
