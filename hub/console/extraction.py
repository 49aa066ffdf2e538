"""Extraction: the texts of templates, found by Jinja's own parser with the console's syntax."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO

from jinja2.ext import babel_extract


def extract(
    file: BinaryIO, keywords: Mapping[str, Any], tags: Collection[str], options: dict[str, Any]
) -> Iterator[Any]:
    """What babel calls for each template."""
    return babel_extract(file, tuple(keywords), tuple(tags), {**options, "silent": "false"})
