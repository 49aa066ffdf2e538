"""Languages on the screen: Chinese first and English second, or one of them if asked for."""

from __future__ import annotations

import os


def wanted() -> tuple[bool, bool]:
    """Whether to write Chinese and English; both unless ``HUB_LANG`` chooses one."""
    chosen = os.environ.get("HUB_LANG", "")
    return chosen != "en", chosen != "zh"


def one() -> str:
    """The language where there is room for one: ``HUB_LANG``, else the locale, else ``zh``."""
    chosen = os.environ.get("HUB_LANG", "")
    if chosen in {"zh", "en"}:
        return chosen
    locale = next((v for n in ("LC_ALL", "LC_MESSAGES", "LANG") if (v := os.environ.get(n))), "")
    return "en" if locale.startswith("en") else "zh"


def both(zh: str, en: str) -> str:
    """Both texts on one line, or the one that is wanted."""
    write_zh, write_en = wanted()
    return " · ".join([zh] * write_zh + [en] * write_en)


def text(zh: str, en: str) -> str:
    """The text in :func:`one` language."""
    return en if one() == "en" else zh
