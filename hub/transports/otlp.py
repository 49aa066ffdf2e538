"""OTLP: the sampler's figures sent to an OpenTelemetry collector, where one is configured.

The packages are an extra (``pip install assistance-hub[otlp]``): most sites scrape instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from prometheus_client.core import Metric as Family

from hub.kernel.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import Metric, MetricsData

_SECONDS = 5.0
_SCOPE = "hub"

log = structlog.get_logger(__name__)


class OtlpSender:
    """Sends metric families as OTLP over HTTP.

    Args:
        endpoint: Base address of the collector, such as ``http://collector:4318``.

    Raises:
        ConfigurationError: the extra is not installed.
    """

    def __init__(self, endpoint: str) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        except ImportError as error:
            raise ConfigurationError(
                "HUB_OTLP_ENDPOINT is set, but the OpenTelemetry packages are not installed.",
                hint="Install the extra 'otlp', or unset it.",
                message_zh="已设置 HUB_OTLP_ENDPOINT,但未安装 OpenTelemetry 组件;"
                "请安装 otlp 附加组件,或取消该设置。",
            ) from error
        address = f"{endpoint.rstrip('/')}/v1/metrics"
        self._exporter = OTLPMetricExporter(endpoint=address, timeout=_SECONDS)

    async def send(self, families: Iterable[Family], at: int) -> bool:
        """Send once, in a thread of its own; a collector that is away loses this sample only.

        Args:
            families: What a scrape would show.
            at: ms since 1970.

        Returns:
            Whether the collector took it.
        """
        from opentelemetry.sdk.metrics.export import MetricExportResult

        data = _data(families, at * 1_000_000)
        try:
            found = await asyncio.to_thread(self._exporter.export, data, _SECONDS * 1000)
        except OSError as error:
            log.warning("otlp.failed", kind=type(error).__name__)
            return False
        return found is MetricExportResult.SUCCESS

    async def close(self) -> None:
        """Give the connection back."""
        await asyncio.to_thread(self._exporter.shutdown)


def _data(families: Iterable[Family], nanos: int) -> MetricsData:
    from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    metrics = [_metric(one, nanos) for one in families if one.samples]
    scope = ScopeMetrics(InstrumentationScope(_SCOPE), metrics, "")
    resource = Resource({"service.name": "hub-sampler"})
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _metric(family: Family, nanos: int) -> Metric:
    from opentelemetry.sdk.metrics.export import (
        AggregationTemporality,
        Gauge,
        Metric,
        NumberDataPoint,
        Sum,
    )

    counts = family.type == "counter"
    points = [NumberDataPoint(dict(s.labels), 0, nanos, float(s.value)) for s in family.samples]
    cumulative = AggregationTemporality.CUMULATIVE
    data = Sum(points, cumulative, is_monotonic=True) if counts else Gauge(points)
    return Metric(family.name, family.documentation, "", data)
