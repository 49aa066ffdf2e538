"""Whether a new schema may follow old ones, with the place and the reason in two languages.

Stricter than Avro where Avro is silent: a change of scale or of the unit of an instant keeps
the bytes readable and turns every value into another one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hub.contracts.schemas import Schema

MODES = (
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
)
"""BACKWARD: new readers read old records. FORWARD: old readers read new ones. FULL: both.
TRANSITIVE: against every version; else against the last one only."""

_PROMOTIONS = {
    ("int", "long"),
    ("int", "float"),
    ("int", "double"),
    ("long", "float"),
    ("long", "double"),
    ("float", "double"),
    ("string", "bytes"),
    ("bytes", "string"),
}
_TEXTS = {
    "type": ("类型由 {writer} 变为 {reader}", "the type changed from {writer} to {reader}"),
    "name": ("名称由 {writer} 变为 {reader}", "the name changed from {writer} to {reader}"),
    "logical": (
        "逻辑类型由 {writer} 变为 {reader},数值含义改变",
        "the logical type changed from {writer} to {reader}, which changes what values mean",
    ),
    "default": (
        "读取方的字段没有默认值,而写入方没有该字段",
        "the reader's field has no default and the writer lacks it",
    ),
    "symbols": (
        "读取方缺少枚举值 {writer},且没有默认值",
        "the reader lacks the symbols {writer} and has no default",
    ),
    "size": ("定长由 {writer} 变为 {reader}", "the size changed from {writer} to {reader}"),
    "branch": (
        "读取方的联合类型不含 {writer}",
        "the reader's union does not take {writer}",
    ),
}


class Finding(msgspec.Struct, frozen=True):
    """One reason against a schema: where, and why in Chinese and English."""

    path: str
    zh: str
    en: str
    kind: str = ""


def check(new: Schema, olds: Iterable[Schema], mode: str) -> list[Finding]:
    """Reasons against letting a schema follow others; empty when it may.

    Args:
        new: The new schema.
        olds: Earlier versions, oldest first.
        mode: One of :data:`MODES`.

    Raises:
        ValueError: an unknown mode.
    """
    if mode not in MODES:
        raise ValueError(f"The mode is one of {', '.join(MODES)}.")
    versions = list(olds)
    if not mode.endswith("_TRANSITIVE"):
        versions = versions[-1:]
    found: list[Finding] = []
    for old in versions:
        if mode.startswith(("BACKWARD", "FULL")):
            found += readable(new, old)
        if mode.startswith(("FORWARD", "FULL")):
            found += readable(old, new)
    return list(dict.fromkeys(found))


def readable(reader: Schema, writer: Schema) -> list[Finding]:
    """Reasons why a reader cannot read what a writer wrote; empty when it can."""
    comparison = _Comparison(_named(reader), _named(writer))
    comparison.compare(reader, writer, "")
    return comparison.found


def _named(schema: Schema, namespace: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(schema, list):
        for branch in schema:
            found |= _named(branch, namespace)
    elif isinstance(schema, dict):
        space = _space(schema, namespace)
        if "name" in schema:
            found[_full(schema, namespace)] = schema
        for part in (*(f["type"] for f in schema.get("fields", ())), schema.get("items")):
            found |= _named(part, space)
        found |= _named(schema.get("values"), space)
        if isinstance(schema.get("type"), dict | list):
            found |= _named(schema["type"], space)
    return found


def _full(schema: dict[str, Any], namespace: str) -> str:
    name: str = schema["name"]
    space = schema.get("namespace", namespace)
    return name if "." in name or not space else f"{space}.{name}"


def _space(schema: dict[str, Any], namespace: str) -> str:
    return _full(schema, namespace).rpartition(".")[0] if "name" in schema else namespace


class _Comparison:
    """Compares two schemas with their named types; recursive types are compared once."""

    def __init__(self, readers: dict[str, Any], writers: dict[str, Any]) -> None:
        self.readers, self.writers = readers, writers
        self.found: list[Finding] = []
        self.open: set[tuple[int, int]] = set()

    def refuse(self, kind: str, path: str, writer: object = "", reader: object = "") -> None:
        zh, en = (text.format(writer=writer, reader=reader) for text in _TEXTS[kind])
        self.found.append(Finding(path or "/", zh, en, kind))

    def compare(self, reader: Schema, writer: Schema, path: str) -> None:
        reader, writer = _spelled(reader, self.readers), _spelled(writer, self.writers)
        if isinstance(writer, list):
            for branch in writer:
                self._branch(reader, branch, path)
        elif isinstance(reader, list):
            self._branch(reader, writer, path)
        elif _kind(reader) != _kind(writer):
            if (_kind(writer), _kind(reader)) not in _PROMOTIONS or _logical(reader, writer):
                self.refuse("type", path, _label(writer), _label(reader))
        else:
            self._same(reader, writer, path)

    def _branch(self, reader: Schema, writer: Schema, path: str) -> None:
        if not isinstance(reader, list):
            self.compare(reader, writer, path)
            return
        attempts = []
        for branch in reader:
            attempt = _Comparison(self.readers, self.writers)
            attempt.open = set(self.open)
            attempt.compare(branch, writer, path)
            if not attempt.found:
                return
            attempts.append((branch, attempt.found))
        wanted = _label(_spelled(writer, self.writers))
        near = [
            found
            for branch, found in attempts
            if _label(_spelled(branch, self.readers)) == wanted
            or any(finding.kind == "logical" for finding in found)
        ]
        if near:
            self.found += near[0]
        else:
            self.refuse("branch", path, wanted)

    def _same(self, reader: Schema, writer: Schema, path: str) -> None:
        kind = _kind(reader)
        if _logical(reader, writer):
            self.refuse("logical", path, _logic(writer), _logic(reader))
        if kind in {"record", "enum", "fixed"} and not _answers(reader, writer):
            self.refuse("name", path, writer["name"], reader["name"])
        elif kind == "record":
            self._record(reader, writer, path)
        elif kind == "array":
            self.compare(reader["items"], writer["items"], f"{path}/[]")
        elif kind == "map":
            self.compare(reader["values"], writer["values"], f"{path}/{{}}")
        elif kind == "enum":
            missing = [name for name in writer["symbols"] if name not in reader["symbols"]]
            if missing and "default" not in reader:
                self.refuse("symbols", path, ", ".join(missing))
        elif kind == "fixed" and reader["size"] != writer["size"]:
            self.refuse("size", path, writer["size"], reader["size"])

    def _record(self, reader: Any, writer: Any, path: str) -> None:
        pair = (id(reader), id(writer))
        if pair in self.open:
            return
        self.open.add(pair)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            names = (field["name"], *field.get("aliases", ()))
            source = next((written[name] for name in names if name in written), None)
            place = f"{path}/{field['name']}"
            if source is not None:
                self.compare(field["type"], source["type"], place)
            elif "default" not in field:
                self.refuse("default", place)


def _spelled(schema: Schema, names: dict[str, Any]) -> Schema:
    if isinstance(schema, str):
        short = (full for full in names if full.rpartition(".")[2] == schema)
        return names.get(schema) or names.get(next(short, ""), schema)
    if isinstance(schema, dict) and isinstance(schema["type"], dict | list):
        return schema["type"]
    return schema


def _kind(schema: Schema) -> str:
    return str(schema["type"]) if isinstance(schema, dict) else str(schema)


def _label(schema: Schema) -> str:
    if isinstance(schema, dict):
        return str(schema.get("name") or schema.get("logicalType") or schema["type"])
    return "union" if isinstance(schema, list) else str(schema)


def _logic(schema: Schema) -> str:
    if not isinstance(schema, dict) or "logicalType" not in schema:
        return _kind(schema)
    scale = f"({schema['precision']},{schema.get('scale', 0)})" if "precision" in schema else ""
    return f"{schema['logicalType']}{scale}"


def _logical(reader: Schema, writer: Schema) -> bool:
    one, other = ({} if not isinstance(part, dict) else part for part in (reader, writer))
    if one.get("logicalType") == other.get("logicalType") == "decimal":
        # A reader with more digits reads every value; another scale changes each.
        more = one["precision"] >= other["precision"]
        return not more or one.get("scale", 0) != other.get("scale", 0)
    return one.get("logicalType") != other.get("logicalType")


def _answers(reader: Any, writer: Any) -> bool:
    short = writer["name"].rpartition(".")[2]
    names = (reader["name"], *reader.get("aliases", ()))
    return any(name.rpartition(".")[2] == short for name in names)
