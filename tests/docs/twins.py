"""Twins: each page with a Chinese twin says the same in the same order.

``python -m tests.docs.twins`` prints the findings and ends with code 1 if there are any. Compared
are the levels of the headings, code blocks, targets of links and pictures, and words in code type;
``x.zh-CN.md`` and ``x.md`` count as one target.
"""

from __future__ import annotations

import sys
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tests.docs.pages import Page, page

ROOT = Path(__file__).parents[2]
SUFFIX = ".zh-CN"
PARTS = {
    "headings": "levels of headings",
    "blocks": "code blocks",
    "links": "targets of links and pictures",
    "names": "words in code type",
}


def twins(root: Path = ROOT) -> list[tuple[Path, Path]]:
    """Every page with its Chinese twin; a twin without a page is paired with what is missing."""
    chinese = [*root.glob(f"*{SUFFIX}.md"), *root.glob(f"docs/**/*{SUFFIX}.md")]
    return [(p.with_name(p.name.replace(SUFFIX, "")), p) for p in sorted(chinese)]


def findings(english: Path, chinese: Path) -> list[str]:
    """Where two pages differ, one sentence each."""
    if not english.is_file():
        return [f"{chinese.name}: there is no {english.name}"]
    first, second = page(english), page(chinese)
    found = [
        difference
        for part, name in PARTS.items()
        for difference in _differences(name, _shared(first, part), _shared(second, part))
    ]
    return [f"{chinese.name}: {one}" for one in found]


def dead_links(root: Path = ROOT) -> list[str]:
    """Links and pictures to files that do not exist."""
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md")]
    return [
        f"{place.relative_to(root)}: {link} does not exist"
        for place in sorted(pages)
        for link in page(place).links
        if "://" not in link and not (place.parent / link.partition("#")[0]).exists()
    ]


def _shared(one: Page, part: str) -> tuple[Any, ...]:
    values: tuple[Any, ...] = getattr(one, part)
    if part == "links":
        return tuple(sorted(value.replace(SUFFIX, "") for value in values))
    return values


def _differences(name: str, first: tuple[Any, ...], second: tuple[Any, ...]) -> list[str]:
    for number, (one, two) in enumerate(zip_longest(first, second), 1):
        if one != two:
            return [f"{name} differ at number {number}: {one!r} is {two!r}"]
    return []


def main() -> int:
    """Print the findings; 1 if there are any."""
    found = [text for pair in twins() for text in findings(*pair)] + dead_links()
    for text in found:
        print(text)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
