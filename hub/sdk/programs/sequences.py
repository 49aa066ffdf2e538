"""Sequences: a receiver's proof that nothing is missing. A gap is told, never passed over."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

_KEPT_GAPS = 100


class Gap(NamedTuple):
    """Numbers that have not come, both ends included."""

    generation: int
    first: int
    last: int

    @property
    def missing(self) -> int:
        """How many."""
        return self.last - self.first + 1


class _Saved(msgspec.Struct):
    generation: int = 0
    last: int = 0
    gaps: list[tuple[int, int, int]] = []


class Sequences:
    """Numbers seen of one subscription.

    Args:
        generation: Of the last number seen before; 0: none yet.
        last: That number.
        gaps: Gaps still open.
    """

    def __init__(self, generation: int = 0, last: int = 0, gaps: tuple[Gap, ...] = ()) -> None:
        self.generation = generation
        self.last = last
        self._gaps = list(gaps)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Gaps still open, in order."""
        return tuple(self._gaps)

    def see(self, generation: int, sequence: int) -> Gap | None:
        """Take note of a number.

        A number inside an open gap closes that part of it. A new generation begins at 1.

        Returns:
            The gap that this number opened.
        """
        if generation < self.generation or (
            generation == self.generation and sequence <= self.last
        ):
            self._close(generation, sequence)
            return None
        before = self.last if generation == self.generation else 0
        self.generation, self.last = generation, sequence
        if sequence == before + 1:
            return None
        gap = Gap(generation, before + 1, sequence - 1)
        self._gaps.append(gap)
        return gap

    def _close(self, generation: int, sequence: int) -> None:
        for place, gap in enumerate(self._gaps):
            if gap.generation == generation and gap.first <= sequence <= gap.last:
                left = (
                    Gap(generation, gap.first, sequence - 1),
                    Gap(generation, sequence + 1, gap.last),
                )
                self._gaps[place : place + 1] = [part for part in left if part.missing > 0]
                return

    def text(self) -> str:
        """Everything as short text, for the metadata of a commit."""
        gaps = [(gap.generation, gap.first, gap.last) for gap in self._gaps[:_KEPT_GAPS]]
        saved = _Saved(self.generation, self.last, gaps)
        return msgspec.json.encode(saved).decode()

    @classmethod
    def of(cls, text: str) -> Sequences:
        """What :meth:`text` wrote; anything else: nothing seen yet."""
        try:
            saved = msgspec.json.decode(text, type=_Saved)
        except msgspec.DecodeError:
            return cls()
        return cls(saved.generation, saved.last, tuple(Gap(*gap) for gap in saved.gaps))
