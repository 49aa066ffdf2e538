"""Texts as departments write them: width, stray letters, dots in names, other names of a thing.

Free text is not turned from Traditional into Simplified characters: that needs a phrase
dictionary to be right. The table of other names holds the Traditional spellings it must know.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache
from importlib.resources import files
from pathlib import Path

from hub.kernel.errors import ConfigurationError

DOT = "·"
"""The dot between the parts of a name, U+00B7."""

_INVISIBLE = dict.fromkeys(
    map(ord, "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e")
)
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20} | _INVISIBLE
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
# A letter before one of these words is a grade or a name (C级, A类, B座), so it stays.
_GRADED = "级級类類档檔型等组組区區座栋棟幢号號证證"
_STRAY = re.compile(rf"(?<=[{_HAN}])\s*[A-Za-zÀ-ɏ]+\s*(?=[{_HAN}])(?![{_GRADED}])")
_DOTS = re.compile(r"\s*[\u00b7\u0387\u1427\u2022\u2024\u2027\u2219\u22c5\u2e31\u30fb]\s*")
_POINT = re.compile(rf"(?<=[{_HAN}])\s*\.\s*(?=[{_HAN}])")
_GAP = re.compile(rf"(?<=[{_HAN}])\s+(?=[{_HAN}])")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")


def narrow(text: str) -> str:
    """Full-width letters, digits and signs become half-width, invisible characters go."""
    return text if text.isascii() else text.translate(_NARROW)


def fold(text: str) -> str:
    """NFKC, without invisible characters, runs of spaces as one, none at the ends."""
    if text.isascii():
        return " ".join(text.split())
    return " ".join(unicodedata.normalize("NFKC", text).translate(_INVISIBLE).split())


def word(text: str) -> str:
    """A Chinese word for comparing: folded, stray Latin letters and inner spaces removed.

    ``低a保`` is 低保; the grade in ``危房C级`` stays.
    """
    return _GAP.sub("", _STRAY.sub("", fold(text)))


def name(text: str) -> str:
    """A person's name: folded, one kind of dot, no spaces between Chinese characters."""
    dotted = _DOTS.sub(DOT, _POINT.sub(DOT, fold(text)))
    return _GAP.sub("", dotted).strip(DOT)


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are one name; letter case and spaces do not matter."""
    return _key(one) == _key(other)


def _key(text: str) -> str:
    return name(text).casefold().replace(" ", "")


def has_private_use(text: str) -> bool:
    """Whether a rare character stands there as a private-use substitute; compare by hand."""
    return _PRIVATE.search(text) is not None


class Aliases:
    """Other names of categories, departments and levels, by group.

    Args:
        rows: Names by group and folded spelling.
    """

    def __init__(self, rows: dict[tuple[str, str], str]) -> None:
        self._rows = rows

    @classmethod
    def load(cls, path: Path | None = None) -> Aliases:
        """Read a CSV file with the columns ``group``, ``alias`` and ``name``.

        Args:
            path: The customer's file; ``None``: the one shipped.

        Raises:
            ConfigurationError: the file cannot be read, or one spelling has two names.
        """
        source = path or files("hub.kernel") / "data" / "aliases.csv"
        try:
            return cls(_rows(source.read_text(encoding="utf-8-sig")))
        except (OSError, KeyError, ValueError) as error:
            raise ConfigurationError(
                f"The table of other names {path} cannot be used: {error}.",
                hint="Give a UTF-8 CSV file with the columns group, alias, name.",
                message_zh=f"别名表 {path} 无法使用:{error}。",
            ) from error

    def find(self, group: str, text: str) -> str | None:
        """The hub's name, ``None`` if the spelling is not in the table.

        Args:
            group: ``category``, ``department`` or ``level``.
            text: As the department wrote it.
        """
        return self._rows.get((group, text)) or self._rows.get((group, word(text)))


def _rows(text: str) -> dict[tuple[str, str], str]:
    rows: dict[tuple[str, str], str] = {}
    for row in csv.DictReader(text.splitlines()):
        key = (row["group"], word(row["alias"]))
        if rows.setdefault(key, row["name"]) != row["name"]:
            raise ValueError(f"two names for {key[1]}")
    return rows


@cache
def aliases() -> Aliases:
    """The shipped table of other names, read once."""
    return Aliases.load()
