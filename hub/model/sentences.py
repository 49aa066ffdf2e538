"""Sentences: the one catalogue that turns a reason into Chinese or English for the screen (P7)."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from hub.contracts.catalogues import catalogue
from hub.contracts.declarations import parse
from hub.kernel.dates import date_of
from hub.model.decisions import Reason

Lang = Literal["zh", "en"]
_DATES = frozenset({"from", "to"})
_OPEN = {"zh": "至今", "en": "open"}


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    zh: str
    en: str


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``sentences.yaml``."""

    sentences: dict[str, Text]
    labels: dict[str, Text]


@cache
def sentences() -> Catalogue:
    """The catalogue, read once."""
    text = (files("hub.model") / "sentences.yaml").read_text(encoding="utf-8")
    return msgspec.convert(parse(text), Catalogue)


def sentence(reason: Reason, lang: Lang = "zh") -> str:
    """The sentence of a reason.

    Raises:
        KeyError: the catalogue has no such key (a test looks at all of them).
    """
    text = getattr(sentences().sentences[reason.key], lang)
    values = {name: _label(name, value, lang) for name, value in reason.values.items()}
    return str(text.format_map(_Blank(values)))


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


def _label(name: str, value: Any, lang: Lang) -> str:
    if name in _DATES:
        return _OPEN[lang] if value is None else date_of(value).isoformat()
    text = str(value)
    known = sentences().labels.get(text)
    if known is None:
        listed: Any = catalogue()
        known = listed.events.get(text) or listed.grants.get(text)
    return getattr(known, lang) if known is not None else text


def in_both(reason: Reason) -> tuple[str, str]:
    """The sentence in Chinese and in English; few differ, so the last thousands are kept."""
    values = reason.values
    return _in_both(reason.key, tuple(values), tuple(values.values()))


@lru_cache(maxsize=8192)
def _in_both(key: str, names: tuple[str, ...], values: tuple[Any, ...]) -> tuple[str, str]:
    reason = Reason("", key, values=dict(zip(names, values, strict=True)))
    return sentence(reason, "zh"), sentence(reason, "en")
