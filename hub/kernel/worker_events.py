"""Worker events: what workers did that changed who works what."""

from __future__ import annotations

from typing import NamedTuple

BEGAN = "began"
ENDED = "ended"
TOOK = "took"
LOST = "lost"
"""A worker found partitions to be somebody else's; what it had in hand for them was not written."""
HELD = "held"
"""A person took partitions away from their workers."""


class WorkerEvent(NamedTuple):
    """One event.

    Attributes:
        at: ms since 1970.
        kind: One of the names above.
        owner: Who did it; of a hold, the person.
        former: From whom partitions were taken; empty: nobody.
        slot: Of one who began or ended.
        partitions: How many.
        stood: Of those taken, how many stood where they had been taken before.
        epoch: The highest among them.
    """

    at: int
    kind: str
    owner: str
    former: str = ""
    slot: str = ""
    partitions: int = 0
    stood: int = 0
    epoch: int = 0
