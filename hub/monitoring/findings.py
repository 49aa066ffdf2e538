"""Findings: what is wrong in a picture, in the order of how bad it is.

The start page, alerts and ``hub status`` show the same findings. A finding has a key, so that one
that lasts is one matter, and names whom to ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files

import msgspec
import yaml

from hub.kernel.reasons import CODES
from hub.monitoring.offsets import LOST
from hub.monitoring.pictures import Connector, Partition, Picture, Program
from hub.monitoring.rates import FLOOD_LEAST, FLOOD_TIMES

SEVERITIES = ("warn", "bad", "worst")
OUTBOX_MS = 30_000
TRANSACTION_MS = 60_000
MANY = 10
"""Open dead letters of one code and department that are more than single mistakes."""


class Words(msgspec.Struct, frozen=True):
    """Sentence, usual cause and first step; empty: as the kind says."""

    zh: str = ""
    en: str = ""
    cause_zh: str = ""
    cause_en: str = ""
    next_zh: str = ""
    next_en: str = ""


class Kind(msgspec.Struct, frozen=True):
    """A kind of finding with its words; see ``findings.yaml``."""

    severity: str
    zh: str
    en: str
    cause_zh: str
    cause_en: str
    next_zh: str
    next_en: str
    nearer: dict[str, Words] = {}


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        kind: Key of ``findings.yaml``.
        severity: ``warn``, ``bad`` or ``worst``.
        who: Department or program concerned; empty: the hub itself.
        what: Topic, item, code or reason.
        n: A count.
        ms: A length of time.
        link: The console's page about it.
        nearer: What is known of its cause, a name of the kind's; empty: nothing.
    """

    kind: str
    severity: str
    who: str = ""
    what: str = ""
    n: int = 0
    ms: int | None = None
    link: str = "/"
    nearer: str = ""

    @property
    def key(self) -> str:
        """The same matter in every picture has the same key."""
        return f"{self.kind}/{self.who}/{self.what if self.kind in _BY_WHAT else ''}"

    @property
    def receives(self) -> bool:
        """Whether it is about somebody as a receiver; some offices are departments, too."""
        return self.kind in _RECEIVERS


_RECEIVERS = frozenset({"parked", "program_down", "program_slow"})
_BY_WHAT = frozenset(
    {"lost", "stopped", "rewound", "slow", "silent", "rejects", "rejects_few", "flood"}
)


@cache
def kinds() -> Mapping[str, Kind]:
    """The words of every kind."""
    text = (files("hub.monitoring") / "findings.yaml").read_text("utf-8")
    return msgspec.convert(yaml.safe_load(text), dict[str, Kind])


def words(finding: Finding) -> Words:
    """Sentence, cause and first step, as near as the picture tells them."""
    kind = kinds()[finding.kind]
    near = kind.nearer.get(finding.nearer, Words())
    if finding.kind in {"rejects", "rejects_few"} and (reason := CODES.get(finding.what)):
        near = Words(cause_zh=reason.zh, cause_en=reason.en)
    return Words(
        near.zh or kind.zh,
        near.en or kind.en,
        (near.cause_zh or kind.cause_zh).rstrip("。"),
        (near.cause_en or kind.cause_en).rstrip("."),
        (near.next_zh or kind.next_zh).rstrip("。"),
        (near.next_en or kind.next_en).rstrip("."),
    )


def about(found: Iterable[Finding], who: str, *, receives: bool) -> list[Finding]:
    """Findings about somebody as a department, or as a receiver."""
    return [one for one in found if one.who == who and one.receives == receives]


def findings(picture: Picture) -> list[Finding]:
    """Everything wrong in a picture, the worst first."""
    found = [
        *_servers(picture),
        *_flow(picture.partitions),
        *_departments(picture.connectors, picture.at),
        *_letters(picture),
        *_programs(picture.programs, picture.at),
        *_work(picture),
    ]
    return sorted(found, key=lambda one: (-SEVERITIES.index(one.severity), one.kind, one.key))


def _of(kind: str, **values: object) -> Finding:
    return Finding(kind, kinds()[kind].severity, **values)  # type: ignore[arg-type]


def _servers(picture: Picture) -> Iterator[Finding]:
    server = picture.server
    if server is not None and not server.broker_up:
        yield _of("broker_down", what=picture.failed.get("broker", ""), link="/servers")
    elif picture.failed:
        yield _of("blind", what=", ".join(sorted(picture.failed)), link="/servers")
    if not picture.workers and "workers" not in picture.failed:
        yield _of("no_worker", link="/workers")
    if server is None:
        return
    if server.under_replicated:
        yield _of("replicas", n=server.under_replicated, link="/servers")
    if (server.oldest_transaction or 0) > TRANSACTION_MS:
        yield _of("transaction", ms=server.oldest_transaction, link="/servers")
    if server.outbox_oldest and picture.at - server.outbox_oldest > OUTBOX_MS:
        age = picture.at - server.outbox_oldest
        yield _of("outbox", n=server.outbox or 0, ms=age, link="/workers")


_STATES = {"STOP": "stopped", "STALL": "stopped", "REWIND": "rewound", "WARN": "slow"}


def _flow(partitions: Iterable[Partition]) -> Iterator[Finding]:
    by_topic: dict[tuple[str, str], list[Partition]] = {}
    for one in partitions:
        if not one.group.startswith("hub."):
            continue
        kind = "lost" if one.status == LOST else _STATES.get(one.status, "")
        kind = "stopped" if one.stopped else kind
        if kind:
            by_topic.setdefault((kind, one.topic), []).append(one)
    for (kind, topic), each in by_topic.items():
        count = sum(max(0, p.start - (p.offset or 0)) if kind == "lost" else p.lag for p in each)
        still = max(p.still for p in each)
        near = next((p.stopped for p in each if p.stopped), "")
        yield _of(kind, what=topic, n=count, ms=still, link=f"/lag/{topic}", nearer=near)


def _departments(connectors: Iterable[Connector], now: int) -> Iterator[Finding]:
    for one in connectors:
        link = f"/connectors/{one.connector}"
        if one.state == "FAILED":
            errors = {item.error for item in one.items if item.error}
            gone = not errors
            yield _of(
                "connector_gone" if gone else "connector_failed",
                who=one.connector,
                what=", ".join(sorted(errors)),
                ms=now - one.beat if gone and one.beat else None,
                link=link,
            )
        if one.state == "PAUSED":
            yield _of("connector_paused", who=one.connector, link=link)
        for item in one.items:
            if item.is_silent and one.planned is None:
                values = {"what": item.item, "ms": item.silent, "nearer": _silenced(one)}
                yield _of("silent", who=one.connector, link=link, **values)
            if item.usual is not None and item.rate > max(FLOOD_LEAST, FLOOD_TIMES * item.usual):
                yield _of("flood", who=one.connector, what=item.item, n=round(item.rate), link=link)


def _silenced(connector: Connector) -> str:
    """Whether source or connector is at fault; empty where the department pushes by itself."""
    if connector.beat is None:
        return ""
    failing = connector.state == "FAILED" or any(item.error for item in connector.items)
    return "connector" if failing else "source"


def _letters(picture: Picture) -> Iterator[Finding]:
    for one in picture.letters:
        link = f"/letters?source={one.source}&code={one.code}"
        kind = "rejects" if one.count >= MANY else "rejects_few"
        age = picture.at - one.last
        yield _of(kind, who=one.source, what=one.code, n=one.count, ms=age, link=link)


def _programs(programs: Iterable[Program], now: int) -> Iterator[Finding]:
    for one in programs:
        link, waiting = f"/programs/{one.program}", one.queued + one.waiting + one.unfetched
        age = None if one.oldest is None else now - one.oldest
        if one.parked:
            yield _of("parked", who=one.program, n=one.parked, link=link)
        if waiting and one.open_until > now:
            yield _of("program_down", who=one.program, n=waiting, ms=age, link=link)
        elif waiting and one.status in {"warn", "bad"}:
            yield _of("program_slow", who=one.program, n=waiting, ms=age, link=link)


def _work(picture: Picture) -> Iterator[Finding]:
    if picture.overdue:
        yield _of("overdue", n=picture.overdue, link="/open")
