"""Languages: one catalogue, Chinese first. English texts are the keys.

The files of ``locale`` together hold the Chinese, each text once; a file stands for a part of the
console. ``python -m hub.console.languages`` compares them with the texts that templates and modules
use and fails on a missing, doubled or unused one; ``--update PART`` adds new texts to a file.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

CHINESE = "zh"
ENGLISH = "en"
LANGUAGES = (CHINESE, ENGLISH)

_METHODS = [("**.py", "python"), ("**.html", "hub.console.extraction:extract")]
_KEYWORDS: dict[str, tuple[int | tuple[int, int] | tuple[int, str], ...] | None] = {
    "_": None,
    "mark": None,
}


def mark(text: str) -> str:
    """Mark a text of a table for the catalogue; it is translated when it is shown."""
    return text


@cache
def parts() -> Mapping[str, Mapping[str, str]]:
    """Part → English text → Chinese text (empty where it is not written yet)."""
    found = {}
    for entry in sorted((files("hub.console") / "locale").iterdir(), key=lambda one: one.name):
        with entry.open("rb") as file:
            catalogue = read_po(file, locale="zh")
        found[entry.name.removesuffix(".po")] = {
            str(one.id): str(one.string or "") for one in catalogue if one.id
        }
    return found


@cache
def chinese() -> Mapping[str, str]:
    """English text → Chinese text."""
    return {text: zh for part in parts().values() for text, zh in part.items() if zh}


def translator(language: str) -> Callable[[str], str]:
    """A function from an English text to the language's; a text without Chinese stays English."""
    if language == ENGLISH:
        return str
    texts = chinese()
    return lambda text: texts.get(text, text)


def used(folder: Path) -> set[str]:
    """Every text that templates and modules of the console show."""
    found: set[str] = set()
    for _file, _line, message, _comments, _context in extract_from_dir(
        folder, _METHODS, keywords=_KEYWORDS
    ):
        found.add(message if isinstance(message, str) else message[0])
    return found - {""}


def problems(folder: Path) -> Iterator[str]:
    """Texts without Chinese, with two, and Chinese that nobody uses."""
    wanted, known = used(folder), chinese()
    for text in sorted(wanted - known.keys()):
        yield f"no Chinese for: {text!r}"
    counted = Counter(text for part in parts().values() for text in part)
    for text in sorted(text for text, count in counted.items() if count > 1):
        yield f"stands in two files: {text!r}"
    for text in sorted(counted.keys() - wanted):
        yield f"not used any more: {text!r}"


def update(folder: Path, part: str) -> None:
    """Bring the files in step: new texts go to one part, unused ones leave, all sorted."""
    wanted = used(folder)
    known = {name: dict(texts) for name, texts in parts().items()}
    new = wanted - {text for texts in known.values() for text in texts}
    known.setdefault(part, {}).update(dict.fromkeys(new, ""))
    for name, texts in known.items():
        catalogue = Catalog(locale="zh_CN", charset="utf-8")
        for text in texts.keys() & wanted:
            catalogue.add(text, texts[text])
        with (folder / "locale" / f"{name}.po").open("wb") as file:
            write_po(file, catalogue, sort_output=True, width=0, omit_header=True)
    parts.cache_clear()
    chinese.cache_clear()


def main() -> int:
    """0: the catalogue is whole; 1: it is not."""
    words = sys.argv[1:]
    with as_file(files("hub.console")) as folder:
        if words[:1] == ["--update"] and len(words) == 2:
            update(folder, words[1])
        found = list(problems(folder))
    for problem in found:
        print(problem, file=sys.stderr)  # noqa: T201 - the answer of a check
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
