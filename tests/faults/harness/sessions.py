"""Sessions: several cases, one after another or a few at a time, and the verdict over all."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from tests.faults.harness.catalogues import Entry
from tests.faults.harness.declarations import SINGLE, Case, Result
from tests.faults.harness.plants import Plant
from tests.faults.harness.runs import run_case, write_summary
from tests.faults.sabotages import SABOTAGES

Show = Callable[[str], None]


class Session:
    """Cases that are still to run, and what came of the others.

    Args:
        entries: In an order that keeps topologies together.
        seed: Of each.
        scale: ``quick`` or ``full``.
        sabotage: Each case once for each of its sabotages instead of once honestly.
        show: Shows a line.
    """

    def __init__(
        self, entries: Sequence[Entry], *, seed: int, scale: str, sabotage: bool, show: Show
    ) -> None:
        self._seed, self._scale, self._show = seed, scale, show
        self._waiting = deque(
            (entry, broken)
            for entry in entries
            for broken in (entry.case.sabotages if sabotage else ("",))
        )
        self.results: list[Result] = []

    async def run(self, lanes: int) -> list[Result]:
        """Run all; each lane has services of its own, so no case meets the faults of another.

        Args:
            lanes: Cases at a time. Three brokers are started for one case at a time only.
        """
        while self._waiting:
            topology = self._waiting[0][0].case.topology
            count = min(lanes, len(self._waiting)) if topology == SINGLE else 1
            await asyncio.gather(*(self._lane(topology) for _ in range(count)))
        return self.results

    async def _lane(self, topology: str) -> None:
        """Cases of one topology, one after another on one plant, its cluster started once."""
        plant = Plant(random.Random(self._seed))  # noqa: S311 - faults, not secrets
        try:
            await plant.start()
            while self._waiting and self._waiting[0][0].case.topology == topology:
                await self._one(plant, *self._waiting.popleft())
        finally:
            await plant.stop()

    async def _one(self, plant: Plant, entry: Entry, broken: str) -> None:
        case = entry.case
        self._show(f"{case.id} {case.zh} · {case.en}  seed {self._seed} {broken}")
        async with _place(plant, case) as place:
            result = await run_case(
                place, entry, seed=self._seed, scale=self._scale, sabotage=broken, tell=self._tell
            )
        if broken and result.verdict == "red" and not found_out(result):
            result.reasons.append(f"{broken} was not found out")
        self.results.append(result)
        write_summary(self.results)
        self._tell(case, result.seconds, f"{result.verdict} {'; '.join(result.reasons)}")

    def _tell(self, case: Case, seconds: float, text: str) -> None:
        self._show(f"  {case.id} {seconds:6.1f} s  {text}")


@asynccontextmanager
async def _place(shared: Plant, case: Case) -> AsyncIterator[Plant]:
    """The shared services, or ones of its own for a case that fills disks."""
    if not case.disks:
        yield shared
        return
    own = Plant(random.Random(0), case.disks)  # noqa: S311 - faults, not secrets
    try:
        yield own
    finally:
        await own.stop()


def passed(results: Sequence[Result], *, sabotage: bool, allow_unrun: bool) -> bool:
    """Whether honest runs are green, or sabotaged ones were found out; not run is a failure, too."""

    def good(one: Result) -> bool:
        if one.verdict == "not run":
            return allow_unrun
        return found_out(one) if sabotage else one.verdict == "green"

    return bool(results) and all(good(one) for one in results)


def found_out(result: Result) -> bool:
    """Whether the verifier found what the sabotage does; red for another reason proves nothing."""
    return bool(SABOTAGES[result.sabotage].found_by & result.breaches.keys())


def document(result: Result) -> dict[str, Any]:
    """A result as plain data."""
    return asdict(result)
