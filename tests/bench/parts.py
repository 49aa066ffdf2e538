"""Parts of a run: each measures one subject and adds to the report."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from hub.embedded.services import Services
from hub.kernel.settings import Settings
from hub.runtime.bench_admissions import admissions
from hub.runtime.bench_inputs import raw
from tests.bench import boards, crowds, growths, idles, pages, rounds, watchers
from tests.bench.delays import delays
from tests.bench.grants import referring
from tests.bench.jobs import Place, Round, normalise, normalise_by_two, refer, rugao, rugao_input

PROFILES = Path(__file__).with_name("profile")


class Sizes(NamedTuple):
    """How much a run measures.

    Attributes:
        rounds: Interleaved rounds.
        events: Of jobs N, R and G.
        peer: Of them, what faust gets.
        seconds: Of each rate of the latency.
        idle: Seconds of rest.
        persons: On record at the end of the growth.
        seen: Events seen at its end.
        subscriptions: At its end.
        values: Of the value list.
        growth: Events measured at each size.
        pairs: Of the console, without and with pages.
        day: Events on record while pages are opened.
        asked: How often each page is asked for.
        painted: How often the browser opens it.
        partitions: On the lag board.
    """

    rounds: int
    events: int
    peer: int
    seconds: int
    idle: int
    persons: int
    seen: int
    subscriptions: int
    values: int
    growth: int
    pairs: int
    day: int
    asked: int
    painted: int
    partitions: int


FULL = Sizes(
    3, 300_000, 60_000, 20, 60, 1_000_000, 5_000_000, 10_000, 1_000_000, 60_000, 10,
    100_000, 40, 5, 2_000,
)  # fmt: skip
QUICK = Sizes(1, 20_000, 5_000, 4, 5, 20_000, 50_000, 500, 50_000, 5_000, 2, 3_000, 5, 1, 300)


class Bench:
    """One run.

    Args:
        settings: Keys and folders.
        services: Broker and database.
        sizes: How much.

    Attributes:
        report: Keys of ``build/bench.json`` and ``details``.
    """

    def __init__(self, settings: Settings, services: Services, sizes: Sizes) -> None:
        self.place = Place(settings, services)
        self.profiled = Place(
            settings.model_copy(update={"profile": "bench", "profiles_dir": PROFILES}), services
        )
        self.sizes = sizes
        self.report: dict[str, Any] = {}
        self.details: dict[str, Any] = {"jobs": {}}
        self.problems: list[str] = []

    async def warm(self) -> None:
        """A cold broker costs three to ten times as much: run something once."""
        some = raw(self.place.settings, admissions(self.sizes.events // 3))
        await normalise_by_two(self.place, some)

    async def jobs(self) -> None:
        """Jobs N, R and G in interleaved rounds."""
        sizes = self.sizes
        raws = raw(self.place.settings, admissions(sizes.events))
        made = referring(self.profiled.settings, sizes.events)
        day = rugao_input(self.place.settings, sizes.events)
        work: dict[str, Callable[[], Awaitable[Round]]] = {
            "normalise": lambda: normalise(self.place, raws, sizes.peer),
            "two": lambda: normalise_by_two(self.place, raws),
            "refer": lambda: refer(self.profiled, made, sizes.peer),
            "rugao": lambda: rugao(self.place, day),
        }
        found: dict[str, list[Round]] = {name: [] for name in work}
        for number in range(sizes.rounds):
            for name, one in work.items():
                done = await one()
                found[name].append(done)
                self.problems += done.problems
                tell(f"round {number + 1}", name, done)
        both = [
            Round(one.figures | two.figures, [])
            for one, two in zip(found["normalise"], found["two"], strict=True)
        ]
        self.report["normalise"] = rounds.job(both)
        self.report["refer"] = rounds.job(found["refer"])
        self.report["rugao"] = rounds.city(found["rugao"])
        self.details["two"] = {"ratio": rounds.ratio(both, "two", "hub")}
        self.details["jobs"] = {
            "normalise": rounds.details(both),
            "refer": rounds.details(found["refer"]),
            "rugao": rounds.details(found["rugao"]),
        }

    async def latency(self) -> None:
        """Latency at three rates, and the knee."""
        found = await delays(self.profiled, self.sizes.seconds)
        self.problems += found.problems
        self.report["latency"] = {
            rate: {**one._asdict(), "raw_p99_ms": found.raw[rate].p99_ms}
            for rate, one in found.inbox.items()
        }
        self.details["source"] = {
            rate: {
                **one._asdict(),
                "raw_p99_ms": found.raw[rate].p99_ms,
                "ratio": round(one.p99_ms / max(found.raw[rate].p99_ms, 0.1), 2),
            }
            for rate, one in found.source.items()
        }
        self.details["knee"] = found.knee

    async def idle(self) -> None:
        """A worker at rest."""
        found = await idles.idle(self.profiled, self.sizes.idle)
        self.details["idle"] = found.pop("details")
        self.report["idle"] = found

    async def console(self) -> None:
        """What open live pages cost."""
        seconds = min(8, 2 * self.sizes.seconds)
        found, wrong = await watchers.watchers(self.profiled, self.sizes.pairs, seconds)
        self.problems += wrong
        self.details["console"] = found
        self.report["console"] = self.report.get("console", {}) | found

    async def pages(self) -> None:
        """Every page over a city on record, and the lag board over many partitions."""
        sizes = self.sizes
        times = pages.Times(sizes.asked, sizes.painted)
        found, wrong = await pages.pages(self.place, sizes.day, times)
        by_page = found.pop("pages")
        print(f"pages: {found} {wrong or ''}", file=sys.stderr, flush=True)
        if "left_out" in found:
            print(found["left_out"], file=sys.stderr, flush=True)
        more, also = await boards.board(self.place, sizes.partitions, 2 * sizes.seconds)
        self.problems += wrong + also
        self.details["pages"] = found | more
        self.details["by_page"] = by_page
        self.report["console"] = self.report.get("console", {}) | found | more | {"pages": by_page}

    async def growth(self) -> None:
        """Persons, events seen, subscriptions, a value list."""
        sizes = self.sizes
        found = await growths.growth(self.profiled, sizes.persons, sizes.seen, sizes.growth)
        more, wrong = await crowds.subscriptions(self.profiled, sizes.subscriptions, sizes.growth)
        self.problems += wrong
        self.details["growth"] = found.pop("details") | more.pop("details")
        found |= more
        found["value_list_mb"] = await crowds.value_list(self.profiled, sizes.values)
        self.report["growth"] = found


def tell(what: str, name: str, done: Round) -> None:
    """Progress on stderr."""
    speeds = ", ".join(f"{key} {one.per_second:,}/s" for key, one in done.figures.items())
    print(f"{what}: {name}: {speeds} {done.problems or ''}", file=sys.stderr, flush=True)
