"""The normaliser of one manifest item, compiled once: bytes in, canonical events out.

Pure: equal bytes give equal events, whenever and in whatever order they are read. What it
judges needs no state: form, codes, check characters, divisions, the record's own date, and
whether the sender may publish the type. What needs known people is decided later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from hub.contracts.catalogues import Catalogue, catalogue
from hub.contracts.digests import content_digest
from hub.contracts.events import CanonicalEvent
from hub.contracts.replay_marks import ReplayKey
from hub.intake.areas import Areas
from hub.intake.decoding import compile_decoder
from hub.intake.people import People
from hub.kernel.dates import EPOCH, FAR, date_of
from hub.kernel.divisions import Divisions
from hub.kernel.errors import DataError
from hub.kernel.event_ids import EventIds
from hub.kernel.person_keys import RouteKey, UidKey
from hub.kernel.settings import Settings
from hub.sdk.instants import DAY, ZONE
from hub.sdk.manifests import CONTENT_HASH, Item, Manifest
from hub.sdk.mappings import content_hash, load_mapper
from hub.sdk.observations import Observation

Normalise = Callable[[bytes, int], tuple[CanonicalEvent, ...]]
"""From a raw record's bytes and the ms at which it was recorded to its events."""

T = TypeVar("T")

_LATEST: dict[int, str] = {}


class IntakeKeys(NamedTuple):
    """Keys of intake: uids, record keys of facts without a person, marks of redriven records."""

    uid: UidKey
    route: RouteKey
    replays: ReplayKey | None = None


def compile_item(
    manifest: Manifest,
    item: Item,
    keys: IntakeKeys,
    settings: Settings,
    *,
    divisions: Divisions | None = None,
) -> Normalise:
    """The normaliser of an item.

    Args:
        manifest: The connector.
        item: One of its items.
        keys: Keys of intake.
        settings: Tell whether invented people are accepted.
        divisions: Table of divisions; ``None``: the one shipped.

    Returns:
        A function that raises ``DataError`` and nothing else for bad data.

    Raises:
        ConfigurationError: the mapping function is missing.
    """
    rules = Rules(manifest, item, keys, settings, divisions or Divisions.load())
    return compile_reading(manifest, item, rules.judge)


def compile_reading(
    manifest: Manifest, item: Item, then: Callable[[Observation, str, int], T]
) -> Callable[[bytes, int], tuple[T, ...]]:
    """Decoder and mapping of an item, and what is made of each observation.

    Args:
        manifest: The connector.
        item: One of its items.
        then: From an observation, the version its content gives it (or empty) and the ms of its
            recording to what is made of it.

    Raises:
        ConfigurationError: the mapping function is missing.
    """
    mapper = load_mapper(manifest, item)
    decode, function = compile_decoder(mapper.raw), mapper.function
    hashed = item.version == CONTENT_HASH

    def read(value: bytes, recorded: int) -> tuple[T, ...]:
        raw = decode(value)
        try:
            found = function(raw)
            version = content_hash(raw) if hashed else ""
        except UnicodeEncodeError:
            raise DataError("E-ENCODING", "", "half a character") from None
        if not isinstance(found, tuple):
            return (then(found, version, recorded),)
        if len(found) == 1:
            return (then(found[0], version, recorded),)
        return tuple([then(one, version, recorded) for one in found])

    return read


class Rules:
    """Checks of one item's observations.

    Attributes:
        types: Event types the item may become and its department may publish.
        areas: Division codes.
        synthetic: Whether invented people are accepted.
    """

    def __init__(
        self,
        manifest: Manifest,
        item: Item,
        keys: IntakeKeys,
        settings: Settings,
        divisions: Divisions,
    ) -> None:
        self._source = manifest.id
        self._division = item.division
        self._catalog_id = item.catalog_id
        self.types = _allowed(manifest, item, catalogue())
        self._ids = EventIds(item.source)
        self.synthetic = settings.synthetic_people
        self._people = People(keys.uid, synthetic=self.synthetic)
        self.areas = Areas(divisions)

    def judge(self, found: Observation, version: str, recorded: int) -> CanonicalEvent:
        """The canonical event of an observation.

        Raises:
            DataError: see the module.
        """
        if found.type not in self.types:
            raise DataError("E-SENDER", "type", found.type)
        occurred = found.occurred
        today = (recorded + ZONE) // DAY
        happened = (occurred + ZONE) // DAY
        if happened > today:
            raise DataError("E-FUTURE", "occurred_at")
        effective = happened if found.effective is None else found.effective
        uid = None if found.id_number is None else self._person(found, today)
        if found.members:
            self._members(found, effective, today)
        jurisdiction = self.areas.resolve(
            found.jurisdiction or self._division, effective, "jurisdiction"
        )
        groups = found.groups
        if "area" in groups:
            self.areas.settle("area", groups["area"], effective)
        if "move" in groups:
            self.areas.settle("move", groups["move"], effective)
        version = found.version or version
        identify = self._ids.of
        event_id = identify(found.record_key, found.type, version or str(occurred))
        matter, household, lifecycle = found.correlation, found.household, found.lifecycle
        # By position, in the order of the class: names would take four times as long.
        return CanonicalEvent(
            event_id,
            found.type,
            self._source,
            found.record_key,
            version,
            lifecycle,
            identify(*found.replaces) if found.replaces else None,
            uid,
            household,
            jurisdiction,
            occurred,
            effective,
            found.observed,
            recorded,
            f"{self._source}:{matter}" if matter else event_id,
            None,
            found.decision_id,
            found.authorization_ref,
            found.evidence_ref,
            None,
            self._catalog_id,
            _digest(uid, household, occurred, effective, lifecycle, matter, groups),
            groups,
        )

    def _person(self, found: Observation, today: int) -> bytes:
        """Set the group ``id``; the uid of the person."""
        latest = _LATEST.get(today) or _latest(today)
        uid, identity = self._people.person(found.id_number or "", found.name, latest)
        found.groups["id"] = identity
        _nameless(found, identity["id_number"])
        return uid

    def _members(self, found: Observation, effective: int, today: int) -> None:
        """Set the members in group ``household``."""
        members, numbers = self._people.members(found.members, effective, _latest(today))
        found.groups.setdefault("household", {})["members"] = members
        for number in numbers:
            _nameless(found, number)


def _digest(*parts: object) -> bytes:
    try:
        return content_digest(*parts)
    except OverflowError:
        raise DataError("E-FIELD-TYPE", "", "a number of more than 64 bits") from None


def _nameless(found: Observation, number: str) -> None:
    if number in found.record_key or number in found.correlation:
        raise DataError("E-FIELD-TYPE", "source_record_key", "holds an ID number")


def _allowed(manifest: Manifest, item: Item, declared: Catalogue) -> frozenset[str]:
    # The manifest says what an item may become, the catalogue who may say so: both must agree.
    return frozenset(name for name in item.events if manifest.id in declared.event(name).publishers)


def _latest(day: int) -> str:
    try:
        return _LATEST[day]
    except KeyError:
        pass
    if not -EPOCH < day < FAR:
        raise DataError("E-DATE", "recorded")
    if len(_LATEST) > 4096:
        _LATEST.clear()
    _LATEST[day] = f"{date_of(day):%Y%m%d}"
    return _LATEST[day]
