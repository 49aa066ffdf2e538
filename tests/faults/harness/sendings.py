"""Sendings: a case's own facts, with their truth, through the load generator's library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import msgspec
import orjson

from tests.faults import sites
from tests.faults.harness.sites import Site
from tests.faults.loads.builders import Builder
from tests.faults.loads.facts import DEAD_LETTER, Move
from tests.faults.loads.generators import Generator
from tests.faults.loads.ledgers import Ledger
from tests.faults.loads.people import Family, Person, family, person

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

    async def send(self, moves: Iterable[Move], seconds: float = 60.0) -> None:
        """Send facts, in their order at each place, and wait for the acknowledgements.

        Raises:
            TimeoutError: they did not come.
        """
        given = list(moves)
        wanted = self.generator.sent + len(given)
        self.generator.give(given)
        async with asyncio.timeout(seconds):
            while self.generator.sent < wanted:  # noqa: ASYNC110 - the generator tells nobody
                await asyncio.sleep(0.05)


def altered(move: Move, record: dict[str, Any] | bytes, **truth: Any) -> Move:
    """The move with another record, and with what is true of that one."""
    body = record if isinstance(record, bytes) else orjson.dumps(record)
    if move.fact.digest:
        truth["digest"] = sha256(body).hexdigest()
    return Move(msgspec.structs.replace(move.fact, **truth), record)


def refused(move: Move, record: dict[str, Any] | bytes, code: str, **truth: Any) -> Move:
    """The move with a record that must become a dead letter and have no effect."""
    nothing: dict[str, Any] = {"people": (), "told": (), "opens": (), "on_roll": {}, "stops": ()}
    truth = nothing | {"kind": "refused", "disposition": DEAD_LETTER, "code": code} | truth
    return altered(move, record, **truth)


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
