"""Topics: every one declared, with owner, key, retention, schema and who reads and writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from hub.contracts.declarations import read, refuse
from hub.contracts.grants import Grant
from hub.contracts.vocabularies import Vocabulary

LOG_APPEND = "LogAppendTime"

_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_SPAN = re.compile(r"([1-9][0-9]*)(ms|h|d)")
_MS = {"ms": 1, "h": 3_600_000, "d": 86_400_000}
_PRINCIPAL = re.compile(r"(dept|prog)\.[a-z0-9-]+|hub\.(worker|gateway|admin)|auditor")


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic as it must exist on the broker."""

    name: str
    zh: str
    en: str
    owner: str
    """A department, a receiver of copies, or ``hub``."""
    key: str
    """What the record key is: ``route``, ``uid`` or ``person_ref``."""
    partitions: int | None
    """None: the default of the installation (``HUB_PARTITIONS``)."""
    retention_ms: int
    """-1: for ever."""
    timestamp_type: str
    cleanup: str
    encoding: str
    """``avro``, ``json`` or ``raw`` (the bytes of the source topic)."""
    schemas: tuple[str, ...]
    """Schema files below ``schemas/`` that its records may have."""
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    max_bytes: int = 0
    """Largest record batch; 0: the broker's default."""

    def settings(self) -> dict[str, str]:
        """Broker settings of the topic."""
        found = {
            "retention.ms": str(self.retention_ms),
            "cleanup.policy": self.cleanup,
            "message.timestamp.type": self.timestamp_type,
        }
        return found | ({"max.message.bytes": str(self.max_bytes)} if self.max_bytes else {})


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    zh: str = ""
    en: str = ""
    owner: str | None = None
    key: Literal["route", "uid", "person_ref"] | None = None
    partitions: int | Literal["default"] | None = None
    retention: str | None = None
    timestamp_type: Literal["LogAppendTime", "CreateTime"] | None = None
    cleanup: Literal["delete", "compact", "compact,delete"] | None = None
    schema: Literal["event", "copy", "reply", "json", "raw"] | None = None
    producers: list[str] | None = None
    consumers: list[str] | None = None
    max_bytes: int | None = None


class _File(_Part, forbid_unknown_fields=True, kw_only=True):
    topics: dict[str, _Part]
    for_each: Literal["", "families", "receivers", "inputs"] = ""


def load_topics(
    folder: Path, vocabulary: Vocabulary, grants: Mapping[str, Grant]
) -> dict[str, Topic]:
    """Read every topic declaration of a folder.

    Raises:
        ConfigurationError: a name twice, an unknown owner, principal or schema, a missing key;
            names file and key.
    """
    files = {path: read(path, _File) for path in sorted(folder.glob("*.yaml"))}
    inputs = [name for file in files.values() for name in file.topics if name.startswith("in.")]
    members = {
        "families": ("family", _families(vocabulary)),
        "receivers": ("receiver", list(grants)),
        "inputs": ("input", inputs),
    }
    found: dict[str, Topic] = {}
    # Plain files first: what a family repeats is then already checked.
    for path, file in sorted(files.items(), key=lambda item: bool(item[1].for_each)):
        word, values = members.get(file.for_each, ("", [""]))
        for value in values:
            for template, part in file.topics.items():
                name = template.replace(f"{{{word}}}", value) if word else template
                if name in found:
                    refuse(path, f"topics.{template}", f"the topic {name} is declared twice")
                found[name] = _Topic(path, template, file, part, word, value).made(
                    name, vocabulary, grants
                )
    return found


def _families(vocabulary: Vocabulary) -> list[str]:
    names = {event.topic.removeprefix("event.") for event in vocabulary.events.values()}
    return sorted(names - {""})


class _Topic:
    """One declaration while it is read: the topic's keys before those of its file."""

    def __init__(
        self, path: Path, template: str, file: _File, part: _Part, word: str, value: str
    ) -> None:
        self.path, self.key = path, f"topics.{template}"
        self.file, self.part = file, part
        self.word, self.value = word, value

    def get(self, name: str, default: object = None) -> object:
        for place in (self.part, self.file):
            value: object = getattr(place, name)
            if value not in {None, ""} if isinstance(value, str) else value is not None:
                return value
        if default is None:
            refuse(self.path, f"{self.key}.{name}", "the key is missing")
        return default

    def text(self, name: str, default: str | None = None) -> str:
        return str(self.get(name, default)).replace(f"{{{self.word}}}", self.value)

    def principals(self, name: str) -> tuple[str, ...]:
        listed = self.get(name)
        texts = [str(entry) for entry in listed] if isinstance(listed, list) else []
        found = tuple(text.replace(f"{{{self.word}}}", self.value) for text in texts)
        for principal in found:
            if not _PRINCIPAL.fullmatch(principal):
                refuse(self.path, f"{self.key}.{name}", f"{principal} is no principal")
        return found

    def made(self, name: str, vocabulary: Vocabulary, grants: Mapping[str, Grant]) -> Topic:
        if not _NAME.fullmatch(name):
            refuse(self.path, self.key, f"{name}: lower case, digits and '-', dots between")
        owner = self.text("owner")
        if owner not in _owners(vocabulary, grants):
            refuse(self.path, f"{self.key}.owner", f"the owner {owner} is not known")
        if name.startswith("in.") and name.split(".")[1] != owner:
            refuse(self.path, f"{self.key}.owner", f"{name} belongs to {name.split('.')[1]}")
        partitions = self.get("partitions", "default")
        schema = self.text("schema")
        return Topic(
            name=name,
            zh=self.text("zh"),
            en=self.text("en"),
            owner=owner,
            key=self.text("key"),
            partitions=partitions if isinstance(partitions, int) else None,
            retention_ms=self.span(self.text("retention")),
            timestamp_type=self.text("timestamp_type", LOG_APPEND),
            cleanup=self.text("cleanup", "delete"),
            encoding=schema if schema in {"json", "raw"} else "avro",
            schemas=self.schemas(name, schema, vocabulary, grants),
            producers=self.principals("producers"),
            consumers=self.principals("consumers"),
            max_bytes=int(self.text("max_bytes", "0")),
        )

    def span(self, text: str) -> int:
        if text == "forever":
            return -1
        found = _SPAN.fullmatch(text)
        if not found:
            refuse(self.path, f"{self.key}.retention", f"{text} is no span like 400d or 12h")
        return int(found[1]) * _MS[found[2]]

    def schemas(
        self, name: str, schema: str, vocabulary: Vocabulary, grants: Mapping[str, Grant]
    ) -> tuple[str, ...]:
        if schema in {"json", "raw"}:
            return ()
        events = vocabulary.events.values()
        found: tuple[str, ...] = ()
        if schema == "event":
            found = tuple(event.schema_file for event in events if event.topic == name)
        elif schema == "reply":
            found = tuple(event.schema_file for event in events if "reply" in event.carried)
        elif self.value in grants:
            found = (grants[self.value].schema_file,)
        if not found:
            refuse(self.path, f"{self.key}.schema", f"no schema exists for {name}")
        return found


def _owners(vocabulary: Vocabulary, grants: Mapping[str, Grant]) -> set[str]:
    publishers = {who for event in vocabulary.events.values() for who in event.publishers}
    return (publishers | set(grants) | {"hub"}) - {"program"}
