"""States: the shape and the word of every state, once for all pages."""

from __future__ import annotations

from hub.console.languages import mark

Shape = tuple[str, str]
"""``good``, ``warn``, ``bad``, ``worst`` or ``none``, and the English word."""

PARTITION: dict[str, Shape] = {
    "OK": ("good", mark("in step")),
    "NOTFOUND": ("none", mark("unknown")),
    "WARN": ("warn", mark("falling behind")),
    "ERR": ("bad", mark("in trouble")),
    "STOP": ("bad", mark("stopped")),
    "STALL": ("bad", mark("stuck")),
    "REWIND": ("bad", mark("went back")),
    "LOST": ("worst", mark("records lost")),
}
"""States of partitions and groups, the harmless ones first."""
CONNECTOR: dict[str, Shape] = {
    "RUNNING": ("good", mark("running")),
    "PAUSED": ("warn", mark("paused")),
    "DEGRADED": ("warn", mark("degraded")),
    "FAILED": ("bad", mark("failed")),
    "UNASSIGNED": ("none", mark("pushes by itself")),
}
PROGRAM: dict[str, Shape] = {
    "good": ("good", mark("in step")),
    "warn": ("warn", mark("slow")),
    "bad": ("bad", mark("not receiving")),
}
_ORDER = tuple(PARTITION)


def rank(status: str) -> int:
    """How bad a partition's state is."""
    return _ORDER.index(status)
