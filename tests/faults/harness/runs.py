"""Runs: a case from its start to its verdict."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncpg

from tests.faults.harness.catalogues import Entry
from tests.faults.harness.children import ROOT
from tests.faults.harness.declarations import Case, NotRunError, Result
from tests.faults.harness.machines import crowding
from tests.faults.harness.openings import opened
from tests.faults.harness.plants import Plant
from tests.faults.harness.recoveries import quiet, recovered
from tests.faults.harness.sites import Site
from tests.faults.harness.tools import ToolError, end_load, start_load, start_witness, verify

OUT = ROOT / "build" / "faults"
_PROBE_SEEDS = 5000
_INJECT_SECONDS = 1800.0
_OPENING_SECONDS = 150.0
_SABOTAGED_SECONDS = 20.0
_REST_SECONDS = 60.0
Tell = Callable[[Case, float, str], None]
"""Told the case, seconds since its start, and a line of text."""


async def run_case(
    plant: Plant, entry: Entry, *, seed: int, scale: str, sabotage: str = "", tell: Tell
) -> Result:
    """Run one case.

    Args:
        plant: Started.
        entry: The case.
        seed: Of everything random in it.
        scale: ``quick`` or ``full``.
        sabotage: What is broken in the hub on purpose; empty: nothing.
        tell: Shows progress.

    Returns:
        The result, which also stands in ``build/faults/<case>-<seed>/report.json``.
    """
    case, begin = entry.case, time.monotonic()
    name = f"{case.id}-{seed}" + (f"-{sabotage}" if sabotage else "")
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    size = case.scale(scale)
    result = Result(case.id, seed, scale, sabotage, size.rounds, size.seconds)
    dice = random.Random(f"{case.id}-{seed}")  # noqa: S311 - faults, not secrets
    try:
        case.check_needs()
        if case.disks:
            await plant.start()
        async with opened(
            plant,
            case,
            size,
            dice,
            folder,
            sabotage=sabotage,
            tell=lambda text: tell(case, time.monotonic() - begin, text),
        ) as site:
            await _played(site, entry, result)
    except NotRunError as error:
        result.verdict = "not run"
        result.reasons.append(f"needs {error}")
    except Exception as error:  # noqa: BLE001 - one case's failure must not keep others from running
        result.fail(f"{type(error).__name__}: {error}")
    result.seconds = round(time.monotonic() - begin, 1)
    (folder / "report.json").write_text(
        json.dumps(asdict(result), ensure_ascii=False, indent=1), encoding="utf-8"
    )
    return result


async def _played(site: Site, entry: Entry, result: Result) -> None:
    scale = site.scale
    await start_witness(site)
    try:
        await _harmed(site, entry, result)
    except (ToolError, TimeoutError):
        # What a sabotaged hub lost may be the very thing that is waited for.
        if not result.sabotage:
            raise
    await site.heal()
    site.tell("恢复 · heal")
    if scale.recovery and not result.sabotage:
        limit = scale.recovery * crowding()
        found = await recovered(site, result.seed + _PROBE_SEEDS, limit)
        result.recovery = None if found is None else round(found, 1)
        if found is None or found > limit:
            result.fail(f"recovery {result.recovery} s, at most {limit:.0f}")
    with suppress(*((ToolError, TimeoutError) if result.sabotage else ())):
        await end_load(site)
    # A hub that is broken on purpose may never rest; the verifier says what is wrong with it.
    settle = _SABOTAGED_SECONDS if result.sabotage else scale.recovery or _REST_SECONDS
    settle *= crowding()
    if not await quiet(site, settle):
        result.fail("work is left")
    await _judged(site, result, settle)


async def _harmed(site: Site, entry: Entry, result: Result) -> None:
    load = site.scale.load
    if load.rate:
        site.tell("期初在册 · opening roll")
        patience = _SABOTAGED_SECONDS if result.sabotage else _OPENING_SECONDS
        await start_load(site, load, result.seed, patience * crowding())
    async with asyncio.timeout(_INJECT_SECONDS):
        await entry.inject(site, site.scale, site.dice)


async def _judged(site: Site, result: Result, settle: float) -> None:
    site.tell("核对 · verify")
    if site.witness:
        await asyncio.sleep(1.0)
        site.witness.signal(signal.SIGTERM)
        await site.witness.ended(30)
    report = await verify(site, site.folder / "verifier.json", settle)
    result.verifier = report
    for kind, number in report["numbers"].items():
        if number:
            result.breaches[kind] = number
            result.fail(f"{kind}: {number}")
    if report["verdict"] != "clean" and result.verdict == "green":
        result.fail(str(report["verdict"]))
    result.stall = _stall(report)
    await _hooked(site, result)
    site.notes["crowding"] = crowded = crowding()
    limit = site.scale.stall
    if limit is not None and (result.stall is None or result.stall > limit * crowded):
        result.fail(f"stall {result.stall} s, at most {limit * crowded:.0f}")
    for reason in site.broken:
        result.fail(reason)
    result.notes = site.notes | {"exits": exits(site)}
    for child in site.children:
        if error := child.failure():
            result.fail(str(error))


async def _hooked(site: Site, result: Result) -> None:
    """What the log calls delivered by webhook must have come to the receiver."""
    if not site.case.webhooks:
        return
    connection = await asyncpg.connect(site.database)
    rows = await connection.fetch(
        "SELECT d.copy_id FROM delivery d JOIN subscription s ON s.id = d.subscription"
        " WHERE s.id = ANY($1) AND d.state = 'sent'",
        list(site.case.webhooks),
    )
    await connection.close()
    ids, received = {str(row[0]) for row in rows}, site.hooks.received
    site.notes["webhook copies"] = len(ids)
    if missing := len(ids - received):
        result.fail(f"{missing} of {len(ids)} copies never came by webhook")
    if not ids:
        result.fail("no copy went by webhook")


def _stall(report: dict[str, Any]) -> float | None:
    longest = report.get("stalls", {}).get("longest_ms")
    return None if longest is None else round(longest / 1000, 1)


def exits(site: Site) -> dict[str, dict[str, int]]:
    """Process → exit code → how often, as far as any ended."""
    found = {child.name: Counter(str(one.code) for one in child.exits) for child in site.children}
    return {name: dict(codes) for name, codes in found.items() if codes}


def write_summary(results: list[Result], path: Path = OUT / "summary.json") -> None:
    """One document over all cases of a run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for one in results:
        row = asdict(one)
        row["verifier"] = row["verifier"].get("counts", {})
        rows.append(row)
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
