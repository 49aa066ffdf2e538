"""Spans: lengths of time in words, the same on pages, in messages and on the terminal."""

from __future__ import annotations

NONE = "–"
_UNITS = ((86_400, "天", "d"), (3600, "小时", "h"), (60, "分", "min"), (1, "秒", "s"))


def span(ms: float | None, lang: str) -> str:
    """A span of time in one or two units: ``3 分 20 秒``, ``3 min 20 s``, ``850 ms``."""
    if ms is None:
        return NONE
    if ms < 1000:
        return f"{ms:.0f} ms"
    seconds = int(ms // 1000)
    parts: list[str] = []
    for size, zh, en in _UNITS:
        if seconds >= size and len(parts) < 2:
            parts.append(f"{seconds // size} {zh if lang == 'zh' else en}")
            seconds %= size
        elif parts:
            break
    return " ".join(parts)
