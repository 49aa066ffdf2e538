"""Metrics: what a worker counts; no label ever carries a person."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600)

EVENTS = Counter("hub_events", "Records worked, by stage and disposition", ["stage", "what"])
BATCHES = Counter("hub_batches", "Transactions committed, by stage", ["stage"])
RETRIES = Counter("hub_retries", "Batches rolled back and run again, by cause", ["cause"])
COPIES = Counter("hub_copies", "Copies acknowledged, by subscription", ["subscription"])
ALARMS = Counter("hub_alarms", "Alarms raised, by kind", ["kind"])
LAG = Gauge("hub_lag", "Records not yet worked, by stage", ["stage"])
STOPPED = Gauge("hub_stopped_partitions", "Partitions stopped with an alarm")
LATENCY = Histogram(
    "hub_delivery_seconds", "From the decision to the broker's acknowledgement", buckets=_BUCKETS
)
