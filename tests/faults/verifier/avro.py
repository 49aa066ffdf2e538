"""Avro by the published files: one zero byte, the schema's number as four bytes, the body."""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import yaml

_HEAD = 5


class Schemas:
    """Reads records by the folder of published schemas.

    Args:
        folder: With ``ids.yaml``, ``events`` and ``programs``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        listed = yaml.safe_load((folder / "ids.yaml").read_text(encoding="utf-8"))
        self._files: dict[int, str] = {one["id"]: one["file"] for one in listed["schemas"]}
        self._archived = {one["id"] for one in listed["schemas"] if one.get("superseded")}
        self._parsed = cache(self._parse)

    def _parse(self, number: int) -> Any:
        path = self._folder / self._files[number]
        archived = self._folder / "archive" / f"{number}.avsc"
        text = (archived if archived.exists() else path).read_text(encoding="utf-8")
        return fastavro.parse_schema(_plain(json.loads(text)))

    def read(self, value: bytes) -> tuple[str, dict[str, Any]]:
        """File of the schema, e.g. ``programs/dibao.avsc``, and the record.

        Raises:
            ValueError: no frame, or an unknown schema.
        """
        if len(value) < _HEAD or value[0] != 0:
            raise ValueError("no frame")
        number = int.from_bytes(value[1:_HEAD], "big")
        if number not in self._files:
            raise ValueError(f"unknown schema {number}")
        record = fastavro.schemaless_reader(BytesIO(value[_HEAD:]), self._parsed(number), None)
        return self._files[number], record


def _plain(schema: Any) -> Any:
    """The schema without logical types: days and ms stay numbers, which is fast and exact."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if isinstance(schema, dict):
        return {name: _plain(held) for name, held in schema.items() if name != "logicalType"}
    return schema
