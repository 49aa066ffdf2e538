"""``python -m tests.faults.loads``: act as the departments of a site, knowing the truth.

First some families are granted aid and the load waits until their programs have it (line
``{"phase": "steady"}``); then facts follow at the rate until the time is over or SIGTERM comes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from pathlib import Path

from tests.faults import sites
from tests.faults.loads.builders import Builder
from tests.faults.loads.generators import Generator
from tests.faults.loads.ledgers import Ledger
from tests.faults.loads.mixes import MIXES, Mix
from tests.faults.sites import Site
from tests.faults.verifier.topics import Reader

_FULL_ROLL = 60


def main() -> int:
    """0: all planned facts have an outcome; 2: the families of the opening never arrived."""
    parser = argparse.ArgumentParser(prog="tests.faults.loads", description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--roll", type=int, default=_FULL_ROLL, help="families on roll throughout")
    parser.add_argument(
        "--roll-seconds", type=float, default=120.0, help="how long to wait for their referrals"
    )
    parser.add_argument("--run", default="", help="part of record numbers; by default the seed")
    parser.add_argument("--mix", choices=sorted(MIXES), default="baseline")
    return asyncio.run(_load(parser.parse_args()))


async def _load(chosen: argparse.Namespace) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    site = sites.load(chosen.site)
    run = chosen.run or f"s{chosen.seed}"
    files = "poverty-alleviation" in site.drops
    mix = Mix(chosen.mix, Builder(run), seed=chosen.seed, people=chosen.people, files=files)
    ledger = Ledger(chosen.ledger)
    _say(phase="roll", seed=chosen.seed, run=run)
    try:
        async with Generator(site, ledger, run, mix.acked) as generator:
            opening = mix.opening(chosen.roll)
            wanted = {who for move in opening for who in move.fact.people}
            generator.give(opening)
            limit = time.monotonic() + chosen.roll_seconds
            if not await asyncio.to_thread(arrived, site, wanted, limit, stop):
                _say(phase="failed", why="the opening did not reach medical-aid")
                return 2
            _say(phase="steady", people_on_roll=len(wanted))
            shown = asyncio.create_task(_show(generator))
            await generator.run(mix.draw, rate=chosen.rate, seconds=chosen.seconds, stop=stop)
            shown.cancel()
            await generator.settle()
    finally:
        ledger.close()
    _say(phase="done", **ledger.counts)
    return 0


def arrived(site: Site, people: set[str], limit: float, stop: asyncio.Event) -> bool:
    """Wait until medical aid has a referral of each person; False: some never came."""
    missing = set(people)
    with Reader(site) as reader:
        while missing and time.monotonic() < limit and not stop.is_set():
            for copy in reader.copies_since(("medical-aid",), wait=0.5):
                missing.discard(copy.subject)
    return not missing


async def _show(generator: Generator) -> None:
    before = generator.sent
    while True:
        await asyncio.sleep(1)
        now = generator.sent
        _say(acked_per_s=now - before, acked=now)
        before = now


def _say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
