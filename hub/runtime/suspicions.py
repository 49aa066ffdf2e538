"""Suspicions: how many records of a partition are worked at once after processes died over it.

A killer somewhere among thousands of records is found with few deaths: those that may have been in
the hands of the dead are worked in portions, and only the records of a portion that was being
worked when a process died run one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec

from hub.store.attempts import STRETCH, portion_at
from hub.store.claims import Claim

PORTION = 64
"""Records of a portion: about the square root of what may be in a worker's hands at once."""


class Suspicion(msgspec.Struct, frozen=True):
    """What may kill, of one claimed partition.

    Attributes:
        alone_before: Records below this offset run one by one.
        portions_before: Records below this one run in portions.
    """

    alone_before: int = 0
    portions_before: int = 0

    def portion(self, off: int) -> int:
        """How many records from this one on are worked at once; 0: as many as there are."""
        if off < self.alone_before:
            return 1
        return min(PORTION, self.portions_before - off) if off < self.portions_before else 0


NONE = Suspicion()


def suspicion(claim: Claim, standing: Collection[str], end: int, stretch: int) -> Suspicion:
    """What a taken partition must be suspected of.

    Args:
        claim: As taken.
        standing: Attempts that never ended, of records and of portions.
        end: Of the log when it was taken: what came later was read by nobody who died before.
        stretch: Records that a process may have in its hands, at most.
    """
    alone = portions = 0
    if claim.record in standing or portion_at(claim.record) in standing:
        alone = min(claim.next_offset + PORTION, end)
    if claim.taken_there >= STRETCH:
        portions = min(claim.taken_offset + stretch, end)
    return Suspicion(alone, portions) if alone or portions else NONE


def cut(
    records: Sequence[Any], portion: Callable[[int], int]
) -> tuple[list[Sequence[Any]], Sequence[Any]]:
    """Records of one partition: what is worked apart, in order, and all the rest.

    Args:
        records: As polled, by offset.
        portion: Offset → how many records from it on are worked at once; 0: all.
    """
    apart = []
    while records and (size := portion(records[0].offset)):
        end = records[0].offset + size
        count = sum(record.offset < end for record in records[:size])
        apart.append(records[:count])
        records = records[count:]
    return apart, records
