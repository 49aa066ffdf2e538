"""Pulses: an urgent fact every now and then, and how long each took to reach its program."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple, Self

from tests.faults import sites
from tests.faults.harness.sites import Site
from tests.faults.loads.builders import Builder
from tests.faults.loads.facts import Fact
from tests.faults.loads.generators import Generator
from tests.faults.loads.ledgers import Ledger
from tests.faults.loads.people import family
from tests.faults.verifier.topics import Reader

_PROGRAM = "medical-aid"
_PER_S = 4.0
_LOOK = 0.02
_LAST_SECONDS = 60.0


class Beats(NamedTuple):
    """What a stretch of time showed; seconds."""

    took: list[float]

    @property
    def p95(self) -> float:
        """95 of 100 were at most this late; 0: nothing was sent."""
        ordered = sorted(self.took)
        return round(ordered[int(0.95 * (len(ordered) - 1))], 3) if ordered else 0.0


class Pulse:
    """Grants of one family each, through civil affairs' queue; an asynchronous context.

    Its facts stand in a ledger of their own, which the verifier reads like that of a probe.

    Args:
        site: Where.
        seed: Of the families; also part of their numbers.
    """

    def __init__(self, site: Site, seed: int) -> None:
        self._site, self._seed, self._run = site, seed, f"u{seed}"
        self._waiting: dict[str, float] = {}
        self._took: list[float] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._ending = False

    async def __aenter__(self) -> Self:
        self._ledger = Ledger(self._site.folder / "probes" / self._run)
        self._there = sites.load(self._site.file)
        self._generator = Generator(self._there, self._ledger, self._run, self._note)
        self._reader = Reader(self._there)
        await asyncio.to_thread(self._reader.copies_since, (_PROGRAM,), wait=0)
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._watch())]
        return self

    async def __aexit__(self, *_error: object) -> None:
        sending, watching = self._tasks
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await self._generator.__aexit__()
        limit = time.monotonic() + _LAST_SECONDS
        while self._waiting and time.monotonic() < limit:  # noqa: ASYNC110 - the watch tells nobody
            await asyncio.sleep(_LOOK)
        self._ending = True
        await asyncio.gather(watching, return_exceptions=True)
        with self._reader:
            self._ledger.close()

    def cut(self) -> Beats:
        """What came since the last cut, and how old those are that still wait."""
        now = time.monotonic()
        found = Beats(self._took + [now - at for at in self._waiting.values()])
        self._took = []
        return found

    def _note(self, fact: Fact) -> None:
        self._waiting[fact.people[0]] = time.monotonic()

    async def _send(self) -> None:
        builder, number = Builder(self._run), 0
        while True:
            number += 1
            self._generator.give([builder.grant(family(self._seed, self._run, number, 2 * number))])
            await asyncio.sleep(1 / _PER_S)

    async def _watch(self) -> None:
        while not self._ending:
            copies = await asyncio.to_thread(self._reader.copies_since, (_PROGRAM,), wait=_LOOK)
            now = time.monotonic()
            for copy in copies:
                at = self._waiting.pop(copy.subject, None)
                if at is not None:
                    self._took.append(now - at)
