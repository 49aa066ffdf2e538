"""Expositions: a picture as metric families, so that scrapes and the console show one number.

Labels are declared names of departments, programs, topics and codes; never a person. Spans are
seconds, as Prometheus wants them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from hub.monitoring.findings import findings
from hub.monitoring.freshness import State
from hub.monitoring.lags import Status
from hub.monitoring.offsets import LOST
from hub.monitoring.pictures import Connector, Picture, Program, Server

Sample = tuple[tuple[str, ...], float | None]
"""Values of the labels, and the figure; None: not known, left out."""
_CODES: Mapping[str, int] = {**{one.name: one.value for one in Status}, LOST: 7}
QUANTILES = (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"))


def families(picture: Picture) -> Iterator[Metric]:
    """Everything that a picture holds."""
    yield _gauge("picture_timestamp_seconds", "When the newest picture was taken", [
        ((), picture.at / 1000)])  # fmt: skip
    yield _gauge("picture_took_seconds", "How long it took", [((), picture.took / 1000)])
    yield _gauge(
        "picture_failed", "Parts that could not be read", [((part,), 1) for part in picture.failed],
        "part")  # fmt: skip
    yield from _findings(picture)
    yield from _flow(picture)
    yield from _connectors(picture.connectors)
    yield from _programs(picture.programs, picture.at)
    yield from _stages(picture)
    yield from _work(picture)
    if picture.server is not None:
        yield from _server(picture.server, picture.at)


def _gauge(name: str, help_text: str, samples: Iterable[Sample], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"hub_{name}", help_text, labels=labels)
    for values, figure in samples:
        if figure is not None:
            family.add_metric(values, figure)
    return family


def _counter(name: str, help_text: str, samples: Iterable[Sample], *labels: str) -> Metric:
    family = CounterMetricFamily(f"hub_{name}", help_text, labels=labels)
    for values, figure in samples:
        if figure is not None:
            family.add_metric(values, figure)
    return family


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else ms / 1000


def _findings(picture: Picture) -> Iterator[Metric]:
    counted: dict[tuple[str, ...], float] = {}
    for one in findings(picture):
        place = (one.kind, one.severity, one.who)
        counted[place] = counted.get(place, 0) + 1
    labels = ("kind", "severity", "who")
    yield _gauge("findings", "What is wrong now, by kind", counted.items(), *labels)


def _flow(picture: Picture) -> Iterator[Metric]:
    labels = ("group", "topic")
    lag: dict[tuple[str, ...], float] = {}
    late: dict[tuple[str, ...], float] = {}
    status: dict[tuple[str, ...], float] = {}
    bad: dict[tuple[str, ...], float] = {}
    for one in picture.partitions:
        place = (one.group, one.topic)
        lag[place] = lag.get(place, 0) + one.lag
        code = _CODES[one.status]
        status[place] = max(status.get(place, 0), code)
        bad[place] = bad.get(place, 0) + (code > Status.OK)
        if one.late is not None:
            late[place] = max(late.get(place, 0.0), one.late / 1000)
    yield _gauge("group_lag", "Records not yet read", lag.items(), *labels)
    yield _gauge("group_late_seconds", "Age of the record read next", late.items(), *labels)
    words = ", ".join(f"{code} {name}" for name, code in _CODES.items())
    yield _gauge("group_status", f"Worst partition: {words}", status.items(), *labels)
    yield _gauge("group_bad_partitions", "Partitions not in step", bad.items(), *labels)
    drains = [((one.group,), one.drain) for one in picture.groups]
    yield _gauge("group_drain_seconds", "Until the lag is gone at this rate", drains, "group")
    ends = [((one.topic,), one.end) for one in picture.topics]
    yield _counter("topic_records", "Records ever written, by topic", ends, "topic")


def _connectors(connectors: Iterable[Connector]) -> Iterator[Metric]:
    each = list(connectors)
    items = [((one.connector, item.item), item) for one in each for item in one.items]
    labels = ("department", "item")
    states = [((c.connector, s.value), float(c.state == s)) for c in each for s in State]
    yield _gauge("connector_state", "1 in the state that it is in", states, "department", "state")
    beats = [((one.connector,), _seconds(one.beat)) for one in each]
    yield _gauge("connector_heartbeat_timestamp_seconds", "Last heartbeat", beats, "department")
    planned = [((one.connector,), float(one.planned is not None)) for one in each]
    yield _gauge("connector_maintenance", "1 during planned maintenance", planned, "department")
    silent = [(place, _seconds(item.silent)) for place, item in items]
    yield _gauge("item_silent_seconds", "Silence, as far as it counts", silent, *labels)
    too_long = [(place, float(item.is_silent)) for place, item in items]
    yield _gauge("item_silent", "1 when silent for too long", too_long, *labels)
    rates = [(place, item.rate) for place, item in items]
    yield _gauge("item_rate", "Records per second", rates, *labels)
    errors = [(place, item.errors) for place, item in items]
    yield _gauge("item_failing_polls", "Polls in a row that failed", errors, *labels)


def _programs(programs: Iterable[Program], now: int) -> Iterator[Metric]:
    each = [((one.program,), one) for one in programs]
    waiting = [
        ((one.program, stage), float(getattr(one, stage)))
        for _, one in each
        for stage in ("queued", "waiting", "unfetched")
    ]
    name = "program"
    yield _gauge("program_waiting", "Copies before a program, by stage", waiting, name, "stage")
    yield _gauge("program_parked", "Copies set aside", [(p, o.parked) for p, o in each], name)
    breaker = [(place, float(one.open_until > now)) for place, one in each]
    yield _gauge("program_breaker_open", "1 while its breaker is open", breaker, name)
    oldest = [
        (place, 0.0 if one.oldest is None else (now - one.oldest) / 1000) for place, one in each
    ]
    yield _gauge("program_oldest_seconds", "Age of the oldest copy that waits", oldest, name)
    done = [(place, one.delivered) for place, one in each]
    yield _counter("program_delivered", "Copies delivered in this generation", done, name)


def _stages(picture: Picture) -> Iterator[Metric]:
    rates = [((stage,), rate) for stage, rate in picture.stages.items()]
    yield _gauge("stage_rate", "Records per second, by stage", rates, "stage")
    totals = [((stage,), total) for stage, total in picture.totals.items()]
    yield _counter("stage_records", "Records ever, by stage", totals, "stage")
    hops = [
        ((hop, quantile), _seconds(getattr(found, name)))
        for hop, found in picture.hops.items()
        for quantile, name in QUANTILES
    ]
    yield _gauge("hop_seconds", "Time of a hop in the last minutes", hops, "hop", "quantile")
    counts = [((hop,), found.count) for hop, found in picture.hops.items()]
    yield _gauge("hop_copies", "What the hop's figures rest on", counts, "hop")
    burn = [((), picture.burn)]
    yield _gauge("latency_budget_burn", "1: the error budget is spent as planned", burn)


def _work(picture: Picture) -> Iterator[Metric]:
    letters: dict[tuple[str, ...], float] = {
        (one.code, one.source): one.count for one in picture.letters
    }
    yield _gauge("dead_letters", "Open dead letters", letters.items(), "code", "department")
    if "workers" not in picture.failed:
        yield _gauge("workers", "Workers that hold something", [((), len(picture.workers))])
    opened = [((kind,), count) for kind, count in picture.open.items()]
    yield _gauge("open_work", "Open matters", opened, "kind")
    yield _gauge("overdue", "Referrals and tasks past their clock", [((), picture.overdue)])
    quality = [
        ((one.source, what), getattr(one, what))
        for one in picture.quality
        for what in ("events", "late", "out_of_order", "duplicate", "skewed")
    ]
    yield _gauge("event_stamps", "Stamps of the last hour's events", quality, "department", "what")


def _server(server: Server, now: int) -> Iterator[Metric]:
    oldest = 0 if server.outbox_oldest is None else max(0, now - server.outbox_oldest)
    for name, help_text, figure in (
        ("brokers", "Brokers up", server.brokers),
        ("broker_up", "1 while the broker answers", server.broker_up),
        ("broker_under_replicated", "Partitions that lack replicas", server.under_replicated),
        ("broker_offline", "Partitions without a leader", server.offline),
        ("database_up", "1 while the database answers", server.database_up),
        ("database_connections", "Connections in use", server.connections),
        ("database_connections_most", "Connections allowed", server.connections_most),
        ("database_transaction_seconds", "Oldest open", _seconds(server.oldest_transaction)),
        ("database_locks_waiting", "Locks that are waited for", server.locks_waiting),
        ("database_bytes", "Size", server.database_bytes),
        ("database_replication_seconds", "Standby behind", _seconds(server.replication_late)),
        ("outbox_copies", "Copies without a number", server.outbox),
        ("outbox_oldest_seconds", "Age of the oldest of them", oldest / 1000),
    ):
        yield _gauge(name, help_text, [((), None if figure is None else float(figure))])
