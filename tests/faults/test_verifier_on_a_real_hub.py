"""A real hub of real processes: the verdict is clean, and red for one that is broken on purpose."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.sabotages import SABOTAGES
from tests.faults.small_sites import SmallSite, small_site

pytestmark = [pytest.mark.proof, pytest.mark.embedded, pytest.mark.timeout(300)]
_RATE, _SECONDS = "80", "5"
SHOWN = ("seen_skipped", "crash_swallowed", "mask_open", "outbox_row_dropped")


async def _tool(small: SmallSite, name: str, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.faults.{name}", "--site", str(small.path), *words),
        stdout=asyncio.subprocess.PIPE,
    )


async def _played(small: SmallSite, seed: int, *, settle: str) -> tuple[int, dict[str, Any]]:
    """Load, witness and verifier, as a fault case runs them: exit code and report."""
    ledger, seen, out = (small.folder / name for name in ("ledger", "witness", "report.json"))
    witness = await _tool(small, "verifier.witnesses", "--out", str(seen))
    assert witness.stdout is not None
    await witness.stdout.readline()
    load = await _tool(
        *(small, "loads", "--ledger", str(ledger), "--seed", str(seed), "--rate", _RATE),
        *("--seconds", _SECONDS, "--people", "500", "--roll", "8", "--roll-seconds", "30"),
    )
    await load.communicate()
    verifier = await _tool(
        *(small, "verifier", "--ledger", str(ledger), "--witness", str(seen)),
        *("--out", str(out), "--settle", settle),
    )
    await verifier.communicate()
    witness.terminate()
    await witness.communicate()
    assert verifier.returncode is not None
    return verifier.returncode, json.loads(out.read_text())


async def test_a_hub_that_works_gets_a_clean_verdict(kafka: str, database: str, tmp_path: Path):
    async with small_site(kafka, database, tmp_path, prefix="verified.") as small:
        code, report = await _played(small, 1, settle="60")

    assert report["breaches"] == {}
    assert code == 0
    counts = report["counts"]
    assert counts["acked"] > 300
    assert counts["unknown"] == 0
    assert counts["referrals"] > 50
    assert counts["people_compared"] > 20
    assert counts["witnessed"] > 500
    assert counts["filtered"] > 0
    assert counts["dead_letter E-ID-CHECK"] > 0


@pytest.mark.parametrize("name", SHOWN)
async def test_a_sabotaged_hub_is_found_out(name: str, kafka: str, database: str, tmp_path: Path):
    prefix = f"{name.replace('_', '-')}."
    async with small_site(kafka, database, tmp_path, prefix=prefix, sabotage=name) as small:
        watching = asyncio.create_task(small.watch())
        code, report = await _played(small, 100 + SHOWN.index(name), settle="8")
        watching.cancel()

    assert code == 1
    assert SABOTAGES[name].found_by & report["breaches"].keys(), report["numbers"]
