"""Writers: from an observation straight to the bytes of its event, no object between.

One function is generated per event type and set of groups; it is compiled from the schema, as
the codecs are. It takes the common forms only. Whatever it stumbles over, and everything that is
wrong, goes the general way (:mod:`hub.intake.normalisers`, then the encoder), which says what a
record becomes; a writer may only say the same sooner, and tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.contracts.catalogues import catalogue
from hub.contracts.cloudevents import EventHeaders
from hub.contracts.codecs import frame
from hub.contracts.digests import pack, packed_digest, text_heads
from hub.contracts.encoders import STUMBLES
from hub.contracts.schemas import SEALED
from hub.intake import tables
from hub.intake.compositions import ID, Composition
from hub.intake.dead_letters import Produced
from hub.intake.normalisers import IntakeKeys, Rules
from hub.intake.people import IS_HAN
from hub.kernel.errors import DataError
from hub.kernel.event_ids import EventIds
from hub.kernel.resident_ids import checked
from hub.kernel.texts import name as tidy
from hub.sdk.manifests import Item
from hub.sdk.observations import Observation

Write = Callable[[Observation, str, int], Produced]
"""From an observation, the version its content gives it (or empty) and the ms of its recording
to the record of its event."""

_VARIANTS = 256


class Writers(dict[tuple[Any, ...], Write]):
    """Type, whether nobody is named, and names of the groups → writer, made when first met.

    Args:
        item: The manifest's item.
        rules: The item's checks.
        keys: Keys of intake.
        general: The general way.
    """

    def __init__(self, item: Item, rules: Rules, keys: IntakeKeys, general: Write) -> None:
        super().__init__()
        self._item = item
        self._rules = rules
        self._general = general
        self._ids = EventIds(item.source)
        self._space: dict[str, Any] = {
            "Q": text_heads(),
            "instants": tables.Learned(tables.instant),
            "recordings": tables.Learned(tables.recording),
            "days": tables.Learned(tables.day),
            "births": tables.Learned(tables.birth),
            "sexes": tables.sexes(),
            "original": self._ids.of,
            "origin": item.source,
            "division": item.division,
            "checked": checked,
            "synthetic": rules.synthetic,
            "resident": keys.uid.resident,
            "fallback": keys.route.fallback,
            "is_han": IS_HAN,
            "tidy": tidy,
            "pack": pack,
            "digested": packed_digest,
        }

    def write(self, found: Observation, version: str, recorded: int) -> Produced:
        """The record of an observation's event.

        Raises:
            DataError: as the general way.
        """
        try:
            writer = self[found.type, found.id_number is None, *found.groups]
            return writer(found, version, recorded)
        except (*STUMBLES, DataError):
            return self._general(found, version, recorded)

    def __missing__(self, key: tuple[Any, ...]) -> Write:
        event_type, nameless, *present = key
        kept = len(self) < _VARIANTS and event_type in self._rules.types
        if not kept or ID in present or any(name.endswith(SEALED) for name in present):
            return self._general
        place = catalogue()
        declared, schema_id = place.event(event_type), place.schema_id(event_type)
        headers = EventHeaders(self._item.connector, event_type)
        made = Composition(
            place.schemas_by_id[schema_id],
            present,
            tuple(declared.required),
            self._rules.areas,
            named=not nameless,
        ).made(
            frame(schema_id),
            self._item.connector,
            self._item.catalog_id,
            {
                **self._space,
                "topic": declared.topic,
                "identify": self._ids.of_type(event_type),
                "places": tables.Learned(tables.place(self._rules.areas, headers)),
            },
        )
        self[key] = made
        return made
