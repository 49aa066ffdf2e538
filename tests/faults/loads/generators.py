"""Generators: facts sent at a rate, each lane in order, with a ledger of what was acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Self

from tests.faults.loads.facts import Fact, Move
from tests.faults.loads.ledgers import Ledger
from tests.faults.loads.senders import Sender, sender
from tests.faults.sites import Site

_TICK = 0.1
_BATCH = 400
_MOST_WAITING = 4000
"""Facts of a lane that wait; while more do, no new ones are drawn."""


class Lane:
    """Facts of one place: sent in order, one batch in flight."""

    def __init__(self, out: Sender, ledger: Ledger, acked: Callable[[Fact], None]) -> None:
        self._out, self._ledger, self._acked = out, ledger, acked
        self._broken: set[str] = set()
        self.waiting: deque[Move] = deque()
        self.sent = 0

    async def flush(self) -> None:
        """Send what waits.

        A chain with a link nobody is sure of ends there: what comes of later links would be
        uncertain, and so would their order.
        """
        moves = [self.waiting.popleft() for _ in range(min(_BATCH, len(self.waiting)))]
        moves = [move for move in moves if move.fact.chain not in self._broken]
        if not moves:
            return
        self._ledger.plan(move.fact for move in moves)
        outcomes = await self._out.send(moves)
        for outcome in ("acked", "failed", "unknown"):
            numbers = [
                move.fact.n for move, what in zip(moves, outcomes, strict=True) if what == outcome
            ]
            if numbers:
                self._ledger.note(numbers, outcome)
        for move, outcome in zip(moves, outcomes, strict=True):
            if outcome == "acked":
                self._acked(move.fact)
                self.sent += 1
            elif move.fact.chain:
                self._broken.add(move.fact.chain)


class Generator:
    """Sends facts; an asynchronous context.

    Args:
        site: Where to.
        ledger: Where everything is noted.
        run: Part of the names of files.
        acked: Told every acknowledged fact.
    """

    def __init__(
        self, site: Site, ledger: Ledger, run: str, acked: Callable[[Fact], None] = lambda _: None
    ) -> None:
        self._site, self.ledger, self._run, self._acked = site, ledger, run, acked
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._senders: list[Sender] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._settling = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.settle()
        for one in self._senders:
            await one.close()

    @property
    def sent(self) -> int:
        """Facts acknowledged so far."""
        return sum(lane.sent for lane in self._lanes.values())

    @property
    def is_full(self) -> bool:
        """Whether a lane is so far behind that drawing more would only fill memory."""
        return any(len(lane.waiting) > _MOST_WAITING for lane in self._lanes.values())

    def give(self, moves: Iterable[Move]) -> None:
        """Queue facts behind those of the same place."""
        for move in moves:
            place = move.fact.way, move.fact.place
            lane = self._lanes.get(place)
            if lane is None:
                out = sender(self._site, *place, self._run)
                self._senders.append(out)
                lane = self._lanes[place] = Lane(out, self.ledger, self._acked)
                self._tasks.append(asyncio.create_task(self._work(lane)))
            lane.waiting.append(move)

    async def _work(self, lane: Lane) -> None:
        while not (self._settling and not lane.waiting):
            began = time.monotonic()
            await lane.flush()
            if len(lane.waiting) < _BATCH and not self._settling:
                await asyncio.sleep(max(0.0, _TICK - (time.monotonic() - began)))

    async def run(
        self,
        draw: Callable[[], Iterable[Move]],
        *,
        rate: float,
        seconds: float,
        stop: asyncio.Event,
    ) -> None:
        """Draw and send at a rate until the time is over or ``stop`` is set."""
        began = time.monotonic()
        given = 0
        while not stop.is_set() and (passed := time.monotonic() - began) < seconds:
            while given < rate * passed and not self.is_full:
                moves = list(draw())
                self.give(moves)
                given += len(moves)
            given = max(given, int(rate * passed) - _MOST_WAITING)
            await asyncio.sleep(_TICK / 2)

    async def settle(self) -> None:
        """Send what is queued, wait for every answer, stop."""
        self._settling = True
        await asyncio.gather(*self._tasks)
        self._tasks.clear()
