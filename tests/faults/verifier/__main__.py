"""``python -m tests.faults.verifier``: compare what departments said with what the hub did.

Exit codes: 0 clean, 1 breached, 2 it could not be checked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
from confluent_kafka import KafkaException

from tests.faults import sites
from tests.faults.sites import Site
from tests.faults.verifier.breaches import KINDS, Allowed
from tests.faults.verifier.comparisons import Verdict, compare
from tests.faults.verifier.grants import Grants
from tests.faults.verifier.readings import Reading
from tests.faults.verifier.stalls import stalls
from tests.faults.verifier.topics import Reader
from tests.faults.verifier.truths import Truth

_AGAIN = frozenset({"lost", "unseen", "missing_copy", "missing_referral", "missing_retraction"})
"""What more time may mend: records that are still on their way through a connector."""
_STEP = 3.0


def main() -> int:
    """Parse, verify, write the report."""
    parser = argparse.ArgumentParser(prog="tests.faults.verifier", description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--ledger", type=Path, action="append", required=True)
    parser.add_argument("--witness", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--settle", type=float, default=90.0, help="seconds until it must rest")
    parser.add_argument("--allow", default="", help="codes of dead letters no fact asks for")
    parser.add_argument("--expect-dead", type=int, help="how many of them must stand")
    chosen = parser.parse_args()
    codes = frozenset(filter(None, chosen.allow.split(",")))
    try:
        report = asyncio.run(
            verified(
                sites.load(chosen.site),
                Truth.load(chosen.ledger),
                chosen.witness,
                settle=chosen.settle,
                allowed=Allowed(codes, chosen.expect_dead),
            )
        )
    except (OSError, KafkaException, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        sys.stderr.write(f"could not check: {type(error).__name__}: {error}\n")
        return 2
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    sys.stdout.write(f"{report['verdict']} {json.dumps(report['numbers'])}\n")
    return 0 if report["verdict"] == "clean" else 1


async def verified(
    site: Site,
    truth: Truth,
    witness: Path | None,
    *,
    settle: float,
    allowed: Allowed | None = None,
) -> dict[str, Any]:
    """Wait for rest, read, compare; again while something may still be on its way.

    Returns:
        ``verdict``, ``breaches`` (kind → samples), ``numbers`` (kind → how many), ``counts``,
        ``stalls``, ``kinds`` and ``settled_s``.
    """
    began = time.monotonic()
    grants = Grants(Path(site.schemas))
    with Reader(site) as reader:
        reading = Reading(site, reader)
        while True:
            left = settle - (time.monotonic() - began)
            quiet = await reading.rest(max(0.0, left))
            sets = await reading.read(quiet=quiet, witness=witness)
            verdict = compare(sets, truth, grants, allowed)
            left = settle - (time.monotonic() - began)
            if left <= 0 or not quiet or not _AGAIN & verdict.breaches.keys():
                break
            await asyncio.sleep(min(_STEP, left))
    return _report(verdict, stalls(sets.sightings), time.monotonic() - began)


def _report(verdict: Verdict, pauses: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {
        "verdict": "clean" if verdict.is_clean else "breached",
        "breaches": verdict.samples,
        "numbers": dict(verdict.breaches),
        "counts": dict(sorted(verdict.counts.items())),
        "stalls": pauses,
        "settled_s": round(seconds, 1),
        "kinds": KINDS,
    }


if __name__ == "__main__":
    sys.exit(main())
