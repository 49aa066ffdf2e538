"""Conjunctions: what a condition demands at least, read off its text.

``stay.hospital == "H17" && stay.local`` can only hold where the hospital is H17. So of ten
thousand conditions of that form only those for H17 need to be asked.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<open>[(\[{])|(?P<close>[)\]}])"""
    r"""|(?P<and>&&)|(?P<other>\|\||\?)|(?P<rest>.)""",
    re.DOTALL,
)
_LITERAL = r"""(?:"[^"\\]*"|'[^'\\]*')"""
_EQUAL = re.compile(rf"([A-Za-z_][\w.]*)\s*==\s*({_LITERAL})").fullmatch
_IN = re.compile(
    rf"([A-Za-z_][\w.]*)\s+in\s+\[\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*,?\s*\]"
).fullmatch
_LITERALS = re.compile(_LITERAL)


class Demand(NamedTuple):
    """A variable that must have one of these values."""

    variable: str
    values: tuple[str, ...]


def demands(text: str) -> list[Demand]:
    """Variables and the texts one of which each must equal, for the whole condition to hold.

    Only parts that are joined by ``&&`` at the top are looked at; a condition with ``||`` or a
    question mark there demands nothing. Raw and escaped literals are passed over.
    """
    found = []
    for part in _parts(text):
        match = _EQUAL(part) or _IN(part)
        if match:
            values = tuple(literal[1:-1] for literal in _LITERALS.findall(match[2]))
            found.append(Demand(match[1], values))
    return found


def _parts(text: str) -> list[str]:
    parts, depth = [""], 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        depth += (kind == "open") - (kind == "close")
        if kind == "other" and depth == 0:
            return []
        if kind == "and" and depth == 0:
            parts.append("")
        else:
            parts[-1] += token[0]
    return [part.strip() for part in parts]
