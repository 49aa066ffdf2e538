"""Steps: what the start of the embedded services reports, for a screen to draw."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One report about one step.

    Attributes:
        name: Stable name: ``jars``, ``kafka`` or ``postgres``.
        zh: What happens, Chinese; shown first.
        en: The same, English.
        done: Whether the step has ended well; a step that failed raises and reports nothing.
        seconds: Seconds since the step began.
        part: How much of the step is done, 0.0 to 1.0.
    """

    name: str
    zh: str
    en: str
    done: bool
    seconds: float
    part: float = 0.0


Progress = Callable[[Step], None]
"""Receives every step twice or more: at its begin, perhaps in between, and at its end."""


def silent(_step: Step) -> None:
    """A progress callback that shows nothing."""


@contextmanager
def reported(
    progress: Progress, name: str, zh: str, en: str
) -> Iterator[Callable[[int, int], None]]:
    """Report the begin and the end of a step.

    Yields:
        A function ``(have, total)`` for reports in between; it may be called from any thread.
    """
    begin = time.monotonic()

    def tell(part: float, *, done: bool) -> None:
        progress(Step(name, zh, en, done, time.monotonic() - begin, part))

    tell(0.0, done=False)
    yield lambda have, total: tell(have / total if total else 1.0, done=False)
    tell(1.0, done=True)
