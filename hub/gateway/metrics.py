"""Metrics of the gateway, in a registry of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds."""


class Metrics:
    """Counters and histograms; labels are declared names, never a person's data."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.accepted = Counter(
            "hub_gateway_accepted",
            "Records acknowledged by the broker",
            ["topic"],
            registry=self.registry,
        )
        self.rejected = Counter(
            "hub_gateway_rejected",
            "Requests or rows refused",
            ["status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "hub_gateway_request_seconds",
            "Time to answer",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.pulled = Counter(
            "hub_gateway_pulled", "Copies fetched", ["program"], registry=self.registry
        )

    def exposition(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)
