"""Bench inputs: raw records as a connector writes them, and what intake makes of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime

from hub.contracts.catalogues import catalogue
from hub.kernel.clocks import SHANGHAI, Clock
from hub.kernel.person_keys import RouteKey, partition_of
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.runtime.bench_cities import Made
from hub.runtime.bench_grounds import Input
from hub.runtime.wiring import wire
from hub.sdk.manifests import load_manifests
from hub.transports.records import Feed, RecordMaker


class _Now:
    """A clock that stands: every record of an input was recorded at its making."""

    def __init__(self) -> None:
        self._now = datetime.now(SHANGHAI)

    def now(self) -> datetime:
        """The instant of the making."""
        return self._now


def raw(settings: Settings, made: Iterable[Made]) -> list[Input]:
    """Raw records with the headers and the routing key of their connector."""
    route = RouteKey(Secrets.load(settings).k_route)
    clock: Clock = _Now()
    makers = {
        item.topic: RecordMaker(Feed.of(item, settings.max_body), route, clock)
        for manifest in load_manifests(settings, catalogue()).values()
        for item in manifest.items
    }
    found = []
    for topic, value in made:
        one = makers[topic].of_body(value)
        part = partition_of(one.key, settings.partitions)
        found.append(Input(topic, part, one.key, value, one.headers))
    return found


def canonical(settings: Settings, records: Sequence[Input]) -> list[Input]:
    """What intake makes of raw records: their events, and the facts about dead letters."""
    pipelines = wire(settings, Secrets.load(settings)).pipelines
    now = int(time.time() * 1000)
    return [
        Input(topic, one.partition, key, value, headers)
        for one in records
        for topic, key, value, headers in pipelines[one.topic](one._replace(timestamp=now))
        if topic.startswith("event.")
    ]


def mix(records: Sequence[Input]) -> dict[str, str]:
    """Topic → share of the records and their mean size."""
    sizes: dict[str, list[int]] = {}
    for one in records:
        sizes.setdefault(one.topic, []).append(len(one.value))
    return {
        topic: f"{100 * len(each) / len(records):.1f} %, {sum(each) // len(each)} B"
        for topic, each in sorted(sizes.items())
    }
