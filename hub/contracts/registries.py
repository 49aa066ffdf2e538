"""The register of schemas: a committed, append-only list of ids, so any clone reads any record.

``ids.yaml`` names for each id its file and a digest of the text. The newest id of a file is the
one written; the text of an id that was superseded stands in ``archive/<id>.avsc``.
"""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import yaml

from hub.contracts.declarations import read, refuse
from hub.contracts.grants import Grant, load_grants
from hub.contracts.schemas import copy_schema, event_schema
from hub.contracts.vocabularies import Vocabulary, load_vocabulary

IDS = "ids.yaml"
_HEAD = (
    "# Schema ids. Append-only: an id, once written, names this text for ever.\n"
    "# Written by `hub schemas build`; superseded texts stand in archive/<id>.avsc.\n"
)


class SchemaId(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the register."""

    id: int
    file: str
    digest: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    schemas: list[SchemaId]


class Registry:
    """Ids and schemas as they stand in a folder.

    Args:
        folder: The folder ``schemas``.

    Raises:
        ConfigurationError: an id stands twice, or a text is missing or not the one registered.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines = read_ids(folder)
        self.latest: dict[str, int] = {line.file: line.id for line in self.lines}
        self.files: dict[int, str] = {line.id: line.file for line in self.lines}
        self.schemas: dict[int, Any] = {line.id: self._schema(line) for line in self.lines}

    def _schema(self, line: SchemaId) -> Any:
        current = self.latest[line.file] == line.id
        path = self.folder / (line.file if current else f"archive/{line.id}.avsc")
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:
            refuse(path, "", f"the schema of id {line.id} is missing; run 'hub schemas build'")
        if digest(text) != line.digest:
            refuse(path, "", f"not the text registered as id {line.id}; run 'hub schemas build'")
        return json.loads(text)


def read_ids(folder: Path) -> list[SchemaId]:
    """The lines of ``ids.yaml``, in order of id.

    Raises:
        ConfigurationError: unreadable, or ids that do not grow.
    """
    path = folder / IDS
    lines = read(path, _File).schemas
    for before, after in pairwise(lines):
        if after.id <= before.id:
            refuse(path, str(after.id), "ids grow from line to line")
    return lines


def digest(text: str) -> str:
    """Digest of a schema's text that tells versions apart: 16 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def text_of(schema: Any) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def load_declarations(folder: Path) -> tuple[Vocabulary, dict[str, Grant]]:
    """Vocabulary and grants of a folder ``schemas``.

    Raises:
        ConfigurationError: names file and key.
    """
    vocabulary = load_vocabulary(folder / "vocabulary.yaml")
    return vocabulary, load_grants(folder / "grants.yaml", vocabulary)


def derived(folder: Path) -> dict[str, str]:
    """File → text of every schema that the declarations of a folder ask for."""
    vocabulary, grants = load_declarations(folder)
    texts = {
        event.schema_file: text_of(event_schema(event, vocabulary))
        for event in vocabulary.events.values()
        if event.schema_file
    }
    return texts | {
        grant.schema_file: text_of(copy_schema(grant, vocabulary)) for grant in grants.values()
    }


def stale(folder: Path) -> list[str]:
    """Files that differ from what the declarations ask for; empty when all is built."""
    texts = derived(folder)
    known = {line.file: line.digest for line in read_ids(folder)}
    there = {str(path.relative_to(folder)) for path in _built(folder)}
    wrong = {
        name
        for name, text in texts.items()
        if name not in there
        or (folder / name).read_text(encoding="utf-8") != text
        or known.get(name) != digest(text)
    }
    return sorted(wrong | (there - texts.keys() - known.keys()))


def _built(folder: Path) -> list[Path]:
    return [*folder.glob("events/*.avsc"), *folder.glob("programs/*.avsc")]


def build(folder: Path) -> list[str]:
    """Write the schemas that changed, register new texts, archive superseded ones.

    Returns:
        The files written, in order.
    """
    path = folder / IDS
    lines = read_ids(folder) if path.exists() else []
    latest = {line.file: line for line in lines}
    texts = derived(folder)
    written = []
    for name, text in texts.items():
        line, target = latest.get(name), folder / name
        changed = not target.exists() or target.read_text(encoding="utf-8") != text
        if line is None or line.digest != digest(text):
            if line is not None:
                _archive(folder, line)
            lines.append(SchemaId(lines[-1].id + 1 if lines else 1, name, digest(text)))
            changed = True
        if changed:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            written.append(name)
    _retire(folder, texts, latest)
    path.write_text(_HEAD + _yaml(lines), encoding="utf-8")
    return written


def _archive(folder: Path, line: SchemaId) -> None:
    old = (folder / line.file).read_text(encoding="utf-8")
    if digest(old) != line.digest:
        refuse(folder / line.file, "", f"changed by hand; restore the text of id {line.id} first")
    target = folder / "archive" / f"{line.id}.avsc"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(old, encoding="utf-8")


def _retire(folder: Path, texts: dict[str, str], latest: dict[str, SchemaId]) -> None:
    # A schema that no declaration asks for stays where its id can be read for ever.
    for path in _built(folder):
        name = str(path.relative_to(folder))
        if name not in texts and name not in latest:
            path.unlink()


def _yaml(lines: list[SchemaId]) -> str:
    rows = [msgspec.to_builtins(line) for line in lines]
    body = [
        yaml.safe_dump(row, default_flow_style=True, width=200, sort_keys=False) for row in rows
    ]
    return "schemas:\n" + "".join(f"  - {line}" for line in body)
