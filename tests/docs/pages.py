"""Pages of Markdown: headings, code blocks and links, as far as the checks need them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) ", re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`[^`\n]+`")


class Block(NamedTuple):
    """A code block: language, what stands behind it on the fence, text."""

    language: str
    place: str
    text: str


class Page(NamedTuple):
    """What a page and its twin must share."""

    headings: tuple[int, ...]
    """Levels in order."""
    blocks: tuple[Block, ...]
    links: tuple[str, ...]
    """Targets in order, pictures too."""
    names: tuple[str, ...]
    """Words in code type, sorted: the order of a sentence may differ."""


def page(path: Path) -> Page:
    """Read one page."""
    text = path.read_text(encoding="utf-8")
    blocks = []
    for found in _FENCE.finditer(text):
        language, _, place = found["info"].strip().partition(" ")
        blocks.append(Block(language, place.strip(), found["body"]))
    prose = _FENCE.sub("", text)
    return Page(
        tuple(len(found[1]) for found in _HEADING.finditer(prose)),
        tuple(blocks),
        tuple(found[1] for found in _LINK.finditer(prose)),
        tuple(sorted(_INLINE.findall(prose))),
    )
