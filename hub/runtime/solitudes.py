"""Solitudes: a record that may kill the process runs while nothing else of the worker decides.

Otherwise a record that merely ran beside the one that kills would be blamed for the death.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Solitude:
    """Many work together, or one alone; whoever came first has the first turn."""

    def __init__(self) -> None:
        self._running = 0
        self._empty = asyncio.Event()
        self._empty.set()
        # Hands itself on in the order of asking, so a long row of records that run alone cannot
        # keep those who work together out.
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Beside others; waits while somebody is alone or was about to be before."""
        async with self._turn:
            self._running += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """With nobody beside; waits until those who work have ended."""
        async with self._turn:
            await self._empty.wait()
            yield
