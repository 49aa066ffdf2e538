"""Machines: how crowded this one is, as limits in seconds are meant for a machine of one's own."""

from __future__ import annotations

import os

_OWN_LOAD = 2.0
"""Load for each processor that a case makes by itself."""
_MOST = 5.0


def crowding() -> float:
    """By how much limits in seconds are stretched now: 1 where nothing else runs, at most 5.

    A process that starts in three seconds takes thirty where eight others want the same two
    processors; that says nothing about the hub. The report tells the factor.
    """
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return round(min(_MOST, max(1.0, load / _OWN_LOAD)), 1)
