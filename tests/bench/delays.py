"""Part latency: canonical to inbox, source to inbox, the raw loop over two hops, and the knee."""

from __future__ import annotations

from typing import Any, NamedTuple

from hub.contracts.codecs import decode_event
from hub.runtime.bench_grounds import Ground, ground
from hub.runtime.bench_inputs import canonical
from hub.runtime.bench_runs import FORWARD, processes
from tests.bench import latencies
from tests.bench.grants import PROGRAMS, raws, referring, truth
from tests.bench.jobs import Place
from tests.bench.latencies import Sent, Spread

RATES = (200, 1_000, 3_000)
STEPS = (2_000, 4_000, 6_000, 8_000, 10_000, 12_500, 15_000, 20_000, 25_000, 30_000)
KNEE_MS = 2_000.0
_HOPS = ("bench.source", "bench.forward", "bench.second")
_PEOPLE = 200_000
"""Room for the people of one load, so that no two loads meet."""


class Delays(NamedTuple):
    """What was measured, by rate as text."""

    inbox: dict[str, Spread]
    source: dict[str, Spread]
    raw: dict[str, Spread]
    knee: dict[str, Any]
    problems: list[str]


async def delays(place: Place, seconds: int) -> Delays:
    """Every rate and the knee.

    Args:
        place: Broker, database, keys, and the bench profile.
        seconds: Of each rate.
    """
    found = Delays({}, {}, {}, {}, [])
    command = ("hub.cli.main", "worker")
    async with ground(*place, extra=_HOPS) as here:
        async with processes(here, command):
            loads = _Loads(here)
            await loads.canonical(RATES[1], seconds, [])
            for rate in RATES:
                found.inbox[f"{rate}"] = await loads.canonical(rate, seconds, found.problems)
                found.source[f"{rate}"] = await loads.source(rate, seconds, found.problems)
            found.knee.update(await _knee(loads, seconds))
        async with processes(here, (FORWARD, *_HOPS[:2], *_HOPS[1:])):
            await loads.raw(RATES[1], seconds)
            for rate in RATES:
                found.raw[f"{rate}"] = await loads.raw(rate, seconds)
    return found


async def _knee(loads: _Loads, seconds: int) -> dict[str, Any]:
    """Rates one above the other until the 95th percentile passes two seconds."""
    held, steps = 0, {}
    for rate in STEPS:
        problems = list[str]()
        found = await loads.canonical(rate, max(2, seconds // 3), problems)
        steps[f"p95 ms at {rate}/s"] = found.p95_ms
        if problems or found.p95_ms > KNEE_MS:
            return {"events_per_s": held, "passed_at": rate, **steps}
        held = rate
    return {"events_per_s": held, **steps}


class _Loads:
    """Loads of people who do not meet."""

    def __init__(self, here: Ground) -> None:
        self._here = here
        self._first = 0

    def _next(self) -> int:
        self._first += _PEOPLE
        return self._first

    async def canonical(self, rate: int, seconds: int, problems: list[str]) -> Spread:
        """Canonical events at a rate, to the inboxes."""
        made = referring(self._here.settings, rate * seconds, self._next())
        names = [decode_event(one.value).event_id for one in made.records]
        sent = Sent(made.records, names)
        found, wrong = await latencies.to_inboxes(
            self._here, sent, rate, PROGRAMS, len(made.referrals)
        )
        problems += wrong
        return found

    async def source(self, rate: int, seconds: int, problems: list[str]) -> Spread:
        """Raw records at a rate, through intake and decide to the inboxes."""
        records = raws(self._here.settings, rate * seconds, self._next())
        events = canonical(self._here.settings, records)
        names = [decode_event(one.value).event_id for one in events]
        found, wrong = await latencies.to_inboxes(
            self._here, Sent(records, names), rate, PROGRAMS, len(truth(events))
        )
        problems += wrong
        return found

    async def raw(self, rate: int, seconds: int) -> Spread:
        """The same raw records over two hops of the raw loop."""
        records = raws(self._here.settings, rate * seconds, self._next())
        sent = [one._replace(topic=_HOPS[0]) for one in records]
        names = [dict(one.headers)["ce_id"].decode() for one in sent]
        return await latencies.through(self._here, Sent(sent, names), rate, _HOPS[2])
