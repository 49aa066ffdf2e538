"""Sendings: a case's own facts, with their truth, through the load generator's library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from tests.faults.loads.builders import Builder
from tests.faults.loads.generators import Generator
from tests.faults.loads.ledgers import Ledger
from tests.faults.loads.people import Family, Person, family, person

from tests.faults import sites
from tests.faults.harness.sites import Site

_BEYOND = 1_000_000


class Sending:
    """Sends facts and keeps them in the site's ledger.

    Args:
        builder: Makes facts.
        generator: Sends them.
        seed: Of the people.
    """

    def __init__(self, builder: Builder, generator: Generator, seed: int) -> None:
        self.builder = builder
        self.generator = generator
        self._seed = seed
        self._people = 0
        self._families = 0

    def person(self) -> Person:
        """Somebody new."""
        self._people += 1
        return person(self._seed, self._people)

    def family(self) -> Family:
        """A new family of two."""
        self._families += 1
        first = _BEYOND + 2 * self._families
        return family(self._seed, self.builder.run, self._families, first)

    def give(self, moves: Iterable) -> None:
        """Send facts, in their order at each place."""
        self.generator.give(moves)


@asynccontextmanager
async def sending(site: Site, seed: int = 1) -> AsyncIterator[Sending]:
    """Send facts of a case; at the end every one has its outcome in the ledger.

    Args:
        site: Without background load.
        seed: Of the people.
    """
    run = f"c{seed}"
    ledger = Ledger(site.ledger)
    try:
        async with Generator(sites.load(site.file), ledger, run) as generator:
            yield Sending(Builder(run), generator, seed)
    finally:
        ledger.close()
