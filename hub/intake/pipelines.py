"""The pipeline of one item: a raw record in; records for ``event.*`` or a dead letter out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from hub.contracts.catalogues import catalogue
from hub.contracts.cloudevents import EventHeaders, Header
from hub.contracts.codecs import Encoder, event_encoder
from hub.contracts.events import CanonicalEvent
from hub.intake.dead_letters import DeadLetters, Produced, Record
from hub.intake.normalisers import IntakeKeys, Rules, compile_reading
from hub.intake.writers import Writers
from hub.kernel.divisions import Divisions
from hub.kernel.errors import DataError
from hub.kernel.settings import Settings
from hub.sdk.manifests import Item, Manifest
from hub.sdk.observations import Observation

Fused = Callable[[bytes, int], tuple[Produced, ...]]
"""From a raw record's bytes and the ms of its recording to the records of its events."""

RECORDED = "ce_recordedtime"
_HOUR = 13
"""Characters of an RFC 3339 instant up to its hour."""


def compile_fused(
    manifest: Manifest,
    item: Item,
    keys: IntakeKeys,
    settings: Settings,
    *,
    divisions: Divisions | None = None,
) -> Fused:
    """Normaliser and encoder of an item in one: for callers that handle errors themselves.

    Args and errors as :func:`hub.intake.normalisers.compile_item`. The function returns
    (topic, key, value, headers); the key is the uid, and a MAC of source and record key where
    the record names nobody. It raises ``DataError`` for bad data.
    """
    rules = Rules(manifest, item, keys, settings, divisions or Divisions.load())
    ways = {name: _Way.of(item.connector, name) for name in item.events}
    fallback, source = keys.route.fallback, item.source

    def general(found: Observation, version: str, recorded: int) -> Produced:
        event = rules.judge(found, version, recorded)
        topic, encode, headers = ways[event.type]
        key = event.uid or fallback(source, event.source_record_key)
        return topic, key, encode(event), headers(event)

    return compile_reading(manifest, item, Writers(item, rules, keys, general).write)


class _Way(NamedTuple):
    """What an event of one type needs to be sent."""

    topic: str
    encode: Encoder
    headers: Callable[[CanonicalEvent], list[Header]]

    @classmethod
    def of(cls, connector: str, event_type: str) -> _Way:
        """The way of a type as this connector publishes it."""
        topic = catalogue().event(event_type).topic
        return cls(topic, event_encoder(event_type), EventHeaders(connector, event_type).of)


class Pipeline:
    """The whole way of one item's records; never raises for bad data.

    Args:
        manifest: The connector.
        item: One of its items.
        keys: Keys of intake.
        settings: Tell whether invented people are accepted.
        divisions: Table of divisions; ``None``: the one shipped.
    """

    def __init__(
        self,
        manifest: Manifest,
        item: Item,
        keys: IntakeKeys,
        settings: Settings,
        *,
        divisions: Divisions | None = None,
    ) -> None:
        self._fused = compile_fused(manifest, item, keys, settings, divisions=divisions)
        self._letters = DeadLetters(item, keys.route, _app_version(), keys.replays)

    def __call__(self, record: Record) -> Sequence[Produced]:
        """What a raw record becomes: its events, or a dead letter and the notice of it."""
        recorded = recorded_ms(record) if record.headers else record.timestamp
        value = record.value
        if value is None:
            return self.buried(record, "E-JSON")
        try:
            return self._fused(value, recorded)
        except DataError as error:
            return [*self._letters.of(record, error, recorded)]

    def buried(self, record: Record, code: str) -> list[Produced]:
        """The dead letter of a record that is given up, e.g. with ``E-BUG``."""
        return [*self._letters.of(record, DataError(code), recorded_ms(record))]


def compile_pipelines(
    manifests: Mapping[str, Manifest],
    keys: IntakeKeys,
    settings: Settings,
    *,
    divisions: Divisions | None = None,
) -> dict[str, Pipeline]:
    """Pipelines of all items by topic (without prefix).

    Raises:
        ConfigurationError: a mapping function is missing.
    """
    table = divisions or Divisions.load()
    return {
        item.topic: Pipeline(manifest, item, keys, settings, divisions=table)
        for manifest in manifests.values()
        for item in manifest.items
    }


def recorded_ms(record: Record) -> int:
    """Ms since 1970 at which the connector made the record; without the header, its receipt."""
    for name, value in record.headers:
        if name == RECORDED:
            return _instant(value) or record.timestamp
    return record.timestamp


_HOURS: dict[bytes, int] = {}


def _instant(text: bytes) -> int | None:
    # Records of one hour share all but minutes, seconds and the offset, in fixed places.
    try:
        if len(text) == 29 and text[26:27] == b":":
            hour = _HOURS.get(text[:_HOUR] + text[23:])
            if hour is not None:
                minutes, seconds = int(text[14:16]), int(text[17:19])
                return hour + minutes * 60_000 + seconds * 1000 + int(text[20:23])
        moment = datetime.fromisoformat(text.decode())
        if moment.tzinfo is None:
            return None
        found = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    if len(text) == 29 and text[26:27] == b":" and moment.utcoffset():
        if len(_HOURS) > 4096:
            _HOURS.clear()
        _HOURS[text[:_HOUR] + text[23:]] = found - found % 3_600_000
    return found


def _app_version() -> str:
    try:
        return version("assistance-hub")
    except PackageNotFoundError:
        return "0"
