"""Pictures: one look at the whole hub, as the sampler took it; everybody shows these figures.

Instants and spans are ms, rates are records per second. Names of topics are without prefix.
"""

from __future__ import annotations

import msgspec

from hub.monitoring.latencies import Percentiles


class Partition(msgspec.Struct):
    """A partition of one group.

    Attributes:
        status: Name of :class:`hub.monitoring.lags.Status`; ``LOST`` where unread records are gone.
        trend: 1 grows, 0 stays, -1 shrinks.
        late: Age of the record that is read next; None: not known.
        still: For how long nothing moved although there was something to do.
        stopped: Why a worker stopped it; empty: it did not.
        held: Whether an operator holds it.
    """

    group: str
    topic: str
    part: int
    offset: int | None
    end: int
    start: int
    lag: int
    status: str
    trend: int
    late: int | None
    still: int
    stopped: str = ""
    held: bool = False


class Group(msgspec.Struct):
    """A group over all its partitions.

    Attributes:
        hub: Whether it is one of the hub's own.
        status: Of the worst partition.
        drain: Seconds until the lag is gone at the present rates; None: never.
    """

    group: str
    hub: bool
    status: str
    lag: int
    trend: int
    late: int | None
    partitions: int
    bad: int
    consumed: float
    produced: float
    drain: float | None


class Topic(msgspec.Struct):
    """A topic: its end, rate and who reads it how well."""

    topic: str
    partitions: int
    end: int
    records: int
    rate: float
    lag: int
    status: str


class Item(msgspec.Struct):
    """One item of a connector.

    Attributes:
        last: When it last brought something; None: never.
        silent: For how long it has been silent, as far as that counts.
        expected: Its cadence.
        is_silent: Whether that is too long.
        records: How many records its topic has got.
        rate: Records per second now.
        usual: What it brought in the hour before; None: not known yet.
        errors: Polls in a row that failed.
        error: Class of the last failure.
    """

    item: str
    topic: str
    last: int | None
    silent: int | None
    expected: int
    is_silent: bool
    records: int
    rate: float
    usual: float | None = None
    errors: int = 0
    error: str = ""


class Connector(msgspec.Struct):
    """A department's connector.

    Attributes:
        state: Of :class:`hub.monitoring.freshness.State`.
        beat: Its last heartbeat; None: it sends none.
        rejected: Open dead letters of this department.
        planned: Until when planned maintenance lasts; None: none now.
    """

    connector: str
    state: str
    beat: int | None
    paused: bool
    items: list[Item]
    rejected: int
    late: int
    planned: int | None = None


class Program(msgspec.Struct):
    """A subscription with what lies before it.

    Attributes:
        queued: Copies without a number yet.
        waiting: Copies a webhook has not taken yet.
        parked: Copies set aside.
        unfetched: Copies a program that fetches has not acknowledged.
        oldest: When the oldest of those was made.
        open_until: The breaker is open until then; 0: closed.
    """

    program: str
    mode: str
    generation: int
    numbered: int
    delivered: int
    queued: int
    waiting: int
    parked: int
    unfetched: int
    oldest: int | None
    failures: int
    open_until: int
    owned: bool
    rate: float
    status: str


class Letters(msgspec.Struct):
    """Open dead letters of one code and department."""

    code: str
    source: str
    count: int
    first: int
    last: int


class Worker(msgspec.Struct):
    """A worker that holds something."""

    owner: str
    slot: str
    partitions: int
    subscriptions: int
    seen: int | None


class Server(msgspec.Struct):
    """Broker and database in figures; None: not known."""

    brokers: int
    broker_up: bool
    under_replicated: int | None
    offline: int | None
    database_up: bool
    connections: int | None
    connections_most: int | None
    oldest_transaction: int | None
    locks_waiting: int | None
    database_bytes: int | None
    replication_late: int | None
    outbox: int | None
    outbox_oldest: int | None


class Quality(msgspec.Struct):
    """How a department's stamps were in the last hour of decided events."""

    source: str
    events: int
    late: int
    out_of_order: int
    duplicate: int
    skewed: int


class Picture(msgspec.Struct):
    """Everything of one moment.

    Attributes:
        number: Counts up with every picture.
        at: When it was taken.
        took: How long that took.
        burn: How fast the error budget of the latency promise is spent; 1 is as planned.
        failed: Parts that could not be read this time, with the class of the error.
    """

    number: int
    at: int
    took: int
    partitions: list[Partition] = []
    groups: list[Group] = []
    topics: list[Topic] = []
    connectors: list[Connector] = []
    programs: list[Program] = []
    letters: list[Letters] = []
    workers: list[Worker] = []
    server: Server | None = None
    stages: dict[str, float] = {}
    totals: dict[str, int] = {}
    hops: dict[str, Percentiles] = {}
    burn: float | None = None
    open: dict[str, int] = {}
    overdue: int = 0
    quality: list[Quality] = []
    failed: dict[str, str] = {}


def encode(picture: Picture) -> bytes:
    """For the record."""
    return msgspec.json.encode(picture)


def decode(data: bytes) -> Picture:
    """From the record; a picture of another release that does not fit is a ``ValidationError``."""
    return msgspec.json.decode(data, type=Picture)
