"""``make bench``: measures the product and writes ``build/bench.json``.

The exit code is 1 where a run is invalid: something was lost, doubled or unlike the peers' output.
Aims that are not met are told and change nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

from hub.embedded.services import embedded
from hub.kernel.settings import Settings
from tests.bench.machines import machine
from tests.bench.parts import FULL, QUICK, Bench
from tests.bench.reports import markdown, written

BUILD = Path("build")
PAGE = Path("docs/PERFORMANCE.md")
PARTS = ("jobs", "latency", "idle", "console", "pages", "growth")
KEYS = ("normalise", "refer", "rugao", "latency", "idle", "console", "growth")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="小规模,几分钟 · small, some minutes")
    parser.add_argument("--only", default=",".join(PARTS), help="只测这些部分 · only these parts")
    parser.add_argument("--events", type=int, help="每项任务的事件数 · events of each job")
    parser.add_argument("--rounds", type=int, help="轮数 · rounds")
    parser.add_argument(
        "--page", action="store_true", help=f"把结果写入 {PAGE} · put the figures into the page"
    )
    return parser.parse_args()


async def measure(chosen: argparse.Namespace) -> Bench:
    """Run the parts that were asked for."""
    sizes = QUICK if chosen.quick else FULL
    sizes = sizes._replace(
        **{name: getattr(chosen, name) for name in ("events", "rounds") if getattr(chosen, name)}
    )
    sizes = sizes._replace(peer=min(sizes.peer, sizes.events))
    began, found = time.monotonic(), machine()
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        place = Path(folder)
        own = Settings(kafka="", database="", data_dir=place, synthetic_people=True)
        async with embedded(place, settings=own) as services:
            bench = Bench(own, services, sizes)
            parts = chosen.only.split(",")
            if parts != ["pages"]:
                await bench.warm()
            for part in parts:
                await getattr(bench, part)()
    bench.details |= {
        "machine": found,
        "quick": chosen.quick,
        "rounds": sizes.rounds,
        "seconds": round(time.monotonic() - began),
        "problems": bench.problems,
    }
    return bench


def main() -> int:
    """Measure, write, print."""
    chosen = arguments()
    # Topics that are just being made answer "not yet" some times; that is no news.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    bench = asyncio.run(measure(chosen))
    whole = {**bench.report, "details": bench.details}
    BUILD.mkdir(exist_ok=True)
    text = markdown(whole)
    (BUILD / "bench-details.json").write_text(json.dumps(whole, ensure_ascii=False, indent=1))
    (BUILD / "bench.md").write_text(text)
    print(text)
    if bench.problems:
        (BUILD / "bench.json").unlink(missing_ok=True)
        print("INVALID · 结果无效:", *bench.problems, sep="\n  ", file=sys.stderr)
        return 1
    kept = {key: bench.report[key] for key in KEYS if key in bench.report}
    (BUILD / "bench.json").write_text(json.dumps(kept, indent=1) + "\n")
    if chosen.page:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), whole), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
