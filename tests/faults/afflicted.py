"""``python -m tests.faults.afflicted MODULE …``: a process of the hub that can be made to fail.

What is broken is not the hub but what it stands on, at a signal: the event loop is held by a call
that does not come back, or the client library gives no records any more after it rejoined.
"""

from __future__ import annotations

import asyncio
import runpy
import signal
import sys
import time
from typing import Any

from aiokafka import AIOKafkaConsumer

BLOCK = signal.SIGRTMIN
STARVE = signal.SIGRTMIN + 1
_BLOCKED_SECONDS = 120.0


def _block(_number: int, _frame: Any) -> None:
    """Hold the main thread, on which the event loop runs; other threads go on."""
    time.sleep(_BLOCKED_SECONDS)


def _starve(_number: int, _frame: Any) -> None:
    """From now on the consumers stay members of their groups and get nothing."""

    async def nothing(self: Any, *_partitions: Any, timeout_ms: int = 0, **_more: Any) -> Any:
        del self
        await asyncio.sleep(timeout_ms / 1000)
        return {}

    AIOKafkaConsumer.getmany = nothing


def run(arguments: list[str]) -> None:
    """Run a module as the main program, listening for the two signals."""
    signal.signal(BLOCK, _block)
    signal.signal(STARVE, _starve)
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    run(sys.argv[1:])
