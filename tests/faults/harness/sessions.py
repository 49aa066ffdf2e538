"""Sessions: several cases one after another on one plant, and the verdict over all of them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from tests.faults.harness.catalogues import Entry
from tests.faults.harness.declarations import Case, Result
from tests.faults.harness.plants import Plant
from tests.faults.harness.runs import run_case, write_summary
from tests.faults.sabotages import SABOTAGES

Show = Callable[[str], None]


async def run_all(
    entries: Sequence[Entry], *, seed: int, scale: str, sabotage: bool, show: Show
) -> list[Result]:
    """Run cases, each cluster started once.

    Args:
        entries: In an order that keeps topologies together.
        seed: Of each.
        scale: ``quick`` or ``full``.
        sabotage: Each case once for each of its sabotages instead of once honestly.
        show: Shows a line.
    """
    plant = Plant(random.Random(seed))  # noqa: S311 - faults, not secrets
    results: list[Result] = []

    def tell(case: Case, seconds: float, text: str) -> None:
        show(f"  {case.id} {seconds:6.1f} s  {text}")

    try:
        await plant.start()
        for entry in entries:
            for broken in entry.case.sabotages if sabotage else ("",):
                show(f"{entry.case.id} {entry.case.zh} · {entry.case.en}  seed {seed} {broken}")
                async with _place(plant, entry.case) as place:
                    result = await run_case(
                        place, entry, seed=seed, scale=scale, sabotage=broken, tell=tell
                    )
                results.append(result)
                if broken and result.verdict == "red" and not found_out(result):
                    result.reasons.append(f"{broken} was not found out")
                write_summary(results)
                tell(entry.case, result.seconds, f"{result.verdict} {'; '.join(result.reasons)}")
    finally:
        await plant.stop()
    return results


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
