"""Roster places: where each record of a roster file stands, put in order of households on disk.

Household ids and places alone go to the temporary files, no data of persons; the files have no
name and are gone with the process.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import attrgetter
from tempfile import TemporaryFile
from typing import IO, NamedTuple, Self

import msgspec

BLOCK = 20_000
"""Places kept in memory; some 4 MB."""
FAN = 32
"""Temporary files open at once."""
_BUFFER = 1024


class Place(NamedTuple):
    """Household of a record, its first byte in the file, and its line (the heads are line 1)."""

    household: str
    offset: int
    line: int


_PLACES = msgspec.json.Decoder(Place)


class Places:
    """A sort that keeps at most ``block`` places in memory.

    Args:
        block: Places kept in memory.
    """

    def __init__(self, block: int = BLOCK) -> None:
        self._size = block
        self._block: list[Place] = []
        self._runs: list[IO[bytes]] = []
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for run in self._runs:
            run.close()

    def add(self, place: Place) -> None:
        """One place more, in any order."""
        self._block.append(place)
        self.count += 1
        if len(self._block) >= self._size:
            self._block.sort()
            self._runs.append(_written(self._block))
            self._block = []
            if len(self._runs) >= FAN:
                self._join()

    def __iter__(self) -> Iterator[Place]:
        """All places by household, within it as in the file."""
        return heapq.merge(*map(_read, self._runs), sorted(self._block))

    def households(self) -> Iterator[Iterator[Place]]:
        """The places of one household after the other; each is read before the next."""
        return (places for _, places in groupby(self, attrgetter("household")))

    def people(self, households: int) -> int:
        """People of the first so many households."""
        return sum(1 for places in islice(self.households(), households) for _ in places)

    def _join(self) -> None:
        joined = _written(heapq.merge(*map(_read, self._runs)))
        for run in self._runs:
            run.close()
        self._runs = [joined]


def _written(places: Iterable[Place]) -> IO[bytes]:
    run = TemporaryFile(buffering=_BUFFER)  # noqa: SIM115 - Places closes it
    for place in places:
        run.write(msgspec.json.encode(place) + b"\n")
    return run


def _read(run: IO[bytes]) -> Iterator[Place]:
    run.seek(0)
    return map(_PLACES.decode, run)
