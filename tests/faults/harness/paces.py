"""Paces: how much slower this machine is now than one that has nothing else to do."""

from __future__ import annotations

import time

_WORK = 3_000_000


def slowness() -> float:
    """Time on the wall for each second of the processor; 1: we have it for ourselves.

    Limits in seconds are meant for a quiet machine; a case may stretch them by this.
    """
    wall, processor = time.monotonic(), time.process_time()
    count = 0
    while count < _WORK:
        count += 1
    used = time.process_time() - processor
    return round(max(1.0, (time.monotonic() - wall) / max(used, 1e-6)), 2)
