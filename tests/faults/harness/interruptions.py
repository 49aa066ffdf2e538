"""Interruptions: Ctrl-C, a closed terminal and SIGTERM end a run in order; nothing stays behind.

Every process of a run has a session of its own, so a signal to the run reaches none of them; the
run ends them itself. Only the first signal counts: an impatient second one would leave them.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptedRunError(Exception):
    """A signal ended the run; everything it had started has ended.

    Args:
        number: The signal.
    """

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number


async def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work.

    Raises:
        InterruptedRunError: a signal came; the work was cancelled and has ended.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    told: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        if not told:
            told.append(number)
            task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not told:
            raise
        raise InterruptedRunError(told[0]) from None
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            if told:
                # Between here and the exit code an impatient one counts no more, either.
                signal.signal(number, signal.SIG_IGN)
