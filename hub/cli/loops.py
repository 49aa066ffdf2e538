"""Loops: running a command's coroutine so that Ctrl-C and SIGTERM end it in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    return asyncio.run(work)


def serve(work: Coroutine[Any, Any, None]) -> None:
    """Run a service until Ctrl-C (exit code 130) or SIGTERM (exit code 0)."""
    asyncio.run(_until_told(work))


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    told: list[bool] = []

    def end() -> None:
        told.append(True)
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        loop.remove_signal_handler(signal.SIGTERM)
