"""Progress lines: long work tells on standard error how far it is."""

from __future__ import annotations

import sys
import time

from hub.cli.languages import both

_TERMINAL_S = 1.0
_FILE_S = 15.0
_HOUR_S, _MINUTE_S = 3600, 60


class Progress:
    """Tells at a terminal every second, elsewhere every 15 seconds; short work tells nothing.

    Args:
        zh: What is done, e.g. 已装载.
        en: The same in English.
    """

    def __init__(self, zh: str, en: str) -> None:
        self._what = zh, en
        self._live = sys.stderr.isatty()
        self._every = _TERMINAL_S if self._live else _FILE_S
        self._begin = self._next = time.monotonic()
        self._next += self._every
        self._shown = False

    def tell(self, persons: int, part: int, whole: int) -> None:
        """So many persons are done in this run.

        Args:
            persons: Done since the begin.
            part: Work done since the begin, in any unit.
            whole: All work of this run, in the same unit.
        """
        now = time.monotonic()
        if now < self._next:
            return
        self._next, self._shown = now + self._every, True
        spent = now - self._begin
        rate = round(persons / spent)
        left = _span(spent * (whole - part) / part) if part else "?"
        zh, en = self._what
        text = both(
            f"{zh} {persons} 人,每秒 {rate} 人,剩余 {left}",
            f"{en} {persons} people, {rate}/s, {left} left",
        )
        sys.stderr.write(f"\r{text}\x1b[K" if self._live else f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line of the terminal."""
        if self._live and self._shown:
            sys.stderr.write("\n")


def _span(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // _HOUR_S}:{whole // _MINUTE_S % 60:02d}:{whole % 60:02d}"
