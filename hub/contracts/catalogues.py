"""The catalogue: vocabulary, grants, topics and schema ids, read once and checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hub.contracts.declarations import refuse
from hub.contracts.grants import Grant
from hub.contracts.registries import Registry, load_declarations
from hub.contracts.topics import Topic, load_topics
from hub.contracts.vocabularies import EventType, Group, Vocabulary
from hub.kernel.errors import DataError
from hub.kernel.places import shipped

URN = "urn:gov:hub:schema:"
"""Head of ``ce_dataschema`` until a registry has an address."""


class Catalogue:
    """Everything declared.

    Attributes:
        groups: Field groups by name, in schema order.
        bodies: Bodies of copies by name.
        events: Event types by name.
        grants: Grants by program or roster recipient.
        topics: Topics by name.
        schemas_by_id: Avro schema by schema id, superseded ones too.
        files_by_id: Schema file by schema id.

    Raises:
        ConfigurationError: names the file and the key that is wrong.
    """

    def __init__(self, schemas: Path, topics: Path) -> None:
        self.folder = schemas
        self.vocabulary: Vocabulary
        self.grants: dict[str, Grant]
        self.vocabulary, self.grants = load_declarations(schemas)
        self.groups: dict[str, Group] = self.vocabulary.groups
        self.bodies: dict[str, Group] = self.vocabulary.bodies
        self.events: dict[str, EventType] = self.vocabulary.events
        self.topics: dict[str, Topic] = load_topics(topics, self.vocabulary, self.grants)
        registry = Registry(schemas)
        self.schemas_by_id: Mapping[int, Any] = registry.schemas
        self.files_by_id: Mapping[int, str] = registry.files
        self._latest = registry.latest
        for topic in self.topics.values():
            for file in topic.schemas:
                if file not in self._latest:
                    refuse(schemas / "ids.yaml", file, "not registered; run 'hub schemas build'")

    def event(self, name: str) -> EventType:
        """An event type.

        Raises:
            DataError: ``E-TYPE-UNKNOWN``.
        """
        try:
            return self.events[name]
        except KeyError:
            raise DataError("E-TYPE-UNKNOWN", "type") from None

    def schema_id(self, name: str) -> int:
        """The id under which records are written.

        Args:
            name: An event type, a program or recipient, or a file below ``schemas/``.

        Raises:
            DataError: ``E-TYPE-UNKNOWN``, or a type that travels as copies only.
        """
        for file in (name, f"events/{name}.avsc", f"programs/{name}.avsc"):
            if file in self._latest:
                return self._latest[file]
        raise DataError("E-TYPE-UNKNOWN", "type")

    def dataschema(self, name: str) -> str:
        """``ce_dataschema`` of an event type or program."""
        return f"{URN}{self.schema_id(name)}"


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, read once per process.

    Raises:
        ConfigurationError: names the file and the key that is wrong.
    """
    return Catalogue(shipped("schemas"), shipped("topics"))
