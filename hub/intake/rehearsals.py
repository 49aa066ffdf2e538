"""Rehearsals: a connector's examples run through intake, findings in two languages.

The examples stand in ``fixtures/<item>.yaml`` beside the manifest: good records with the events
they become, bad ones with the code they get. Keys and people are invented.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import msgspec

from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import encode_event
from hub.contracts.events import CanonicalEvent
from hub.intake.normalisers import IntakeKeys, Normalise, compile_item
from hub.kernel.amounts import text_of
from hub.kernel.dates import date_of
from hub.kernel.divisions import Divisions
from hub.kernel.errors import DataError
from hub.kernel.person_keys import RouteKey, UidKey
from hub.kernel.settings import Settings
from hub.sdk.instants import instant_ms
from hub.sdk.manifests import Item, Manifest

KEYS = IntakeKeys(UidKey(b"rehearsal of the uid key"), RouteKey(b"rehearsal of the route key"))
"""Keys for invented people only."""


class Good(msgspec.Struct, forbid_unknown_fields=True):
    """A record and what it becomes: of each event the attributes and fields that matter.

    ``raw`` is the record, or ``change`` and ``remove`` tell how it differs from the first one.
    """

    title: str
    events: list[dict[str, Any]]
    raw: dict[str, Any] = {}
    change: dict[str, Any] = {}
    remove: list[str] = []


class Bad(msgspec.Struct, forbid_unknown_fields=True):
    """A record and the code it gets; ``text`` and ``hex`` are bodies that are no JSON object."""

    title: str
    code: str
    field: str = ""
    raw: dict[str, Any] = {}
    change: dict[str, Any] = {}
    remove: list[str] = []
    text: str = ""
    hex: str = ""


class Fixtures(msgspec.Struct, forbid_unknown_fields=True):
    """One file of examples; ``recorded`` is when the connector made the records."""

    good: list[Good]
    bad: list[Bad] = []
    recorded: str = "2025-06-30T12:00:00+08:00"


class Finding(NamedTuple):
    """An example that went otherwise."""

    title: str
    zh: str
    en: str


def rehearse(manifest: Manifest, item: Item, fixtures: Fixtures) -> list[Finding]:
    """Run the examples of an item.

    Raises:
        ConfigurationError: the mapping function is missing.
    """
    settings = Settings(synthetic_people=True)  # type: ignore[call-arg]
    normalise = compile_item(manifest, item, KEYS, settings, divisions=Divisions.load())
    recorded = instant_ms(fixtures.recorded)
    first = fixtures.good[0].raw if fixtures.good else {}
    findings = [
        found for good in fixtures.good for found in _good(normalise, good, first, recorded)
    ]
    for bad in fixtures.bad:
        findings += _bad(normalise, bad, first, recorded)
    return findings


def body(case: Good | Bad, first: dict[str, Any]) -> bytes:
    """The bytes of an example."""
    if isinstance(case, Bad) and case.hex:
        return bytes.fromhex(case.hex)
    if isinstance(case, Bad) and case.text:
        return case.text.encode()
    record = deepcopy(case.raw or first)
    for path, value in case.change.items():
        place, name = _place(record, path)
        place[name] = value
    for path in case.remove:
        place, name = _place(record, path)
        place.pop(name, None)
    return msgspec.json.encode(record)


def plain(event: CanonicalEvent) -> dict[str, Any]:
    """An event with dates and amounts as text, as examples write them."""
    groups = catalogue().groups
    shown: dict[str, Any] = msgspec.to_builtins(event)
    shown["effective_from"] = date_of(event.effective_from).isoformat()
    shown["occurred_on"] = date_of((event.occurred_at + 28_800_000) // 86_400_000).isoformat()
    shown["groups"] = {
        name: {field: _shown(groups[name].fields[field].type, value) for field, value in of.items()}
        for name, of in event.groups.items()
    }
    return shown


def _shown(kind: str, value: Any) -> Any:
    if value is None or not isinstance(value, int) or isinstance(value, bool):
        return value
    if kind == "date":
        return date_of(value).isoformat()
    return text_of(value) if kind == "money" else value


def _good(normalise: Normalise, case: Good, first: dict[str, Any], recorded: int) -> list[Finding]:
    try:
        events = normalise(body(case, first), recorded)
        for event in events:
            encode_event(event)
    except DataError as error:
        return [Finding(case.title, f"被拒绝:{error}", f"refused: {error}")]
    expected = [one.get("type") for one in case.events]
    found = [event.type for event in events]
    if expected != found:
        return [Finding(case.title, f"得到 {found},应为 {expected}", f"{found}, not {expected}")]
    return [
        Finding(case.title, f"{path} 不符", f"{path} differs")
        for event, one in zip(events, case.events, strict=True)
        for path in _differences(one, plain(event), event.type)
    ]


def _bad(normalise: Normalise, case: Bad, first: dict[str, Any], recorded: int) -> list[Finding]:
    try:
        for event in normalise(body(case, first), recorded):
            encode_event(event)
    except DataError as error:
        if (error.code, error.field) == (case.code, case.field or error.field):
            return []
        said = f"{error.code} {error.field}"
        return [Finding(case.title, f"得到 {said}", f"refused with {said}")]
    return [Finding(case.title, f"未被拒绝,应为 {case.code}", f"not refused with {case.code}")]


def _differences(expected: Any, found: Any, path: str) -> list[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            place
            for name, value in expected.items()
            for place in _differences(value, found.get(name), f"{path}.{name}")
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            place
            for number, (one, other) in enumerate(zip(expected, found, strict=True))
            for place in _differences(one, other, f"{path}[{number}]")
        ]
    return [] if expected == found else [path]


def _place(record: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    if path in record or "." not in path:
        return record, path
    *parents, name = path.split(".")
    for parent in parents:
        record = record[parent]
    return record, name
