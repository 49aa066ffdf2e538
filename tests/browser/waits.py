"""Waits: asking again until an answer holds; one that never does fails with what was last heard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(
    ask: Callable[[], Awaitable[T]],
    holds: Callable[[T], object] = bool,
    *,
    seconds: float = 60.0,
    pause: float = 0.3,
    about: str = "",
) -> T:
    """The first answer that holds.

    Args:
        ask: Asked again and again.
        holds: Whether an answer will do; by default anything that is something.
        seconds: For how long.
        pause: Seconds between two questions.
        about: Told with the last answer where none held.
    """
    limit = time.monotonic() + seconds
    while not holds(found := await ask()):
        assert time.monotonic() < limit, f"{about} {found}"
        await asyncio.sleep(pause)
    return found
