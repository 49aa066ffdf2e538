"""Jobs N, R and G: one round each of product, raw loop and faust over the same input, then checked.

A round whose output is not what it must be is worth nothing: what is wrong is told and the whole
run counts as invalid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hub.contracts.codecs import decode_event
from hub.embedded.services import Services
from hub.kernel.settings import Settings
from hub.runtime.bench_cities import city
from hub.runtime.bench_grounds import Ground, Input, ground
from hub.runtime.bench_inputs import canonical, raw
from hub.runtime.bench_runs import Figures, run_forward, run_until_made, run_worker
from hub.runtime.benches import DECIDING
from tests.bench import readbacks
from tests.bench.grants import PROGRAMS, TOPICS, Referring, truth

_EXTRA = ("bench.forward", "bench.events", "bench.letters")
_INBOXES = tuple(f"bench.inbox.{program}" for program in PROGRAMS)


class Round(NamedTuple):
    """Figures by program, and what was found wrong."""

    figures: dict[str, Figures]
    problems: list[str]


class Place(NamedTuple):
    """Where a bench runs."""

    settings: Settings
    services: Services


async def normalise(place: Place, records: Sequence[Input], peer: int) -> Round:
    """One round of job N.

    Args:
        place: Broker, database, keys.
        records: Raw records.
        peer: How many of them, from the first, the faust agent gets.
    """
    found, problems = {}, list[str]()
    bad = len(records) // 200
    async with ground(*place, extra=_EXTRA) as here:
        await here.load(records)
        found["raw"] = await run_forward(here, ["in.health.admissions"], len(records))
        found["hub"] = await run_worker(here, "intake", len(records), job="normalise")
        ours = await readbacks.digests(here, "event.health")
        buried = await readbacks.contents(here, "dlq.hub.in.health.admissions")
    _expect(problems, "N hub: events", len(ours.found), len(records) - bad)
    _expect(problems, "N hub: repeats", ours.repeats, 0)
    _expect(problems, "N hub: dead letters", len(buried), bad)
    async with ground(*place, extra=_EXTRA) as here:
        await here.load(records[:peer])
        outputs = ["bench.events", "bench.letters"]
        command = ("tests.bench.peers.normalise", "worker", "-l", "warn", "--without-web")
        found["faust"] = await run_until_made(here, command, outputs, peer)
        theirs = await readbacks.digests(here, "bench.events")
        letters = await readbacks.contents(here, "bench.letters")
    _expect(problems, "N faust: events", len(theirs.found), peer - peer // 200)
    _expect(problems, "N faust: events unlike the hub's", len(theirs.found - ours.found), 0)
    _expect(problems, "N faust: dead letters unlike the hub's", len(letters - buried), 0)
    return Round(found, problems)


async def normalise_by_two(place: Place, records: Sequence[Input]) -> Round:
    """Job N by two worker processes."""
    problems = list[str]()
    async with ground(*place) as here:
        await here.load(records)
        figures = await run_worker(here, "intake", len(records), job="normalise", count=2)
        ours = await readbacks.digests(here, "event.health")
        _expect(problems, "N by two: events", len(ours.found), len(records) - len(records) // 200)
    return Round({"two": figures}, problems)


async def refer(place: Place, made: Referring, peer: int) -> Round:
    """One round of job R.

    Args:
        place: Broker, database, keys, and the bench profile.
        made: Events and the referrals that must come of them.
        peer: How many of the events, from the first, the faust agent gets.
    """
    found, problems = {}, list[str]()
    async with ground(*place, extra=_EXTRA) as here:
        await here.load(made.records)
        found["raw"] = await run_forward(here, TOPICS, len(made.records))
        found["hub"] = await run_worker(here, DECIDING, len(made.records), job="refer")
        problems += await wrong_inboxes(here, made)
    part = made.records[:peer]
    wanted = truth(part)
    async with ground(*place, extra=_INBOXES) as here:
        await here.load(part)
        command = ("tests.bench.peers.refer", "worker", "-l", "warn", "--without-web")
        found["faust"] = await run_until_made(
            here, command, _INBOXES, len(wanted), events=len(part)
        )
        theirs = await readbacks.told(here)
    _expect(problems, "R faust: referrals unlike the truth", len(theirs ^ wanted), 0)
    return Round(found, problems)


async def wrong_inboxes(here: Ground, made: Referring) -> list[str]:
    """What is wrong with the inboxes after job R: nothing lost, nothing twice, no gap."""
    problems = list[str]()
    got = await readbacks.inboxes(here)
    _expect(problems, "R hub: lost", len(made.referrals - got.referrals), 0)
    _expect(problems, "R hub: invented", len(got.referrals - made.referrals), 0)
    _expect(problems, "R hub: repeats", got.repeats, 0)
    _expect(problems, "R hub: gaps", got.gaps, 0)
    _expect(problems, "R hub: not in the ledger", got.strangers, 0)
    seen = await here.db.fetchval("SELECT count(*) FROM seen_event")
    _expect(problems, "R hub: events on record", seen, made.distinct)
    dead = await here.db.fetchval("SELECT count(*) FROM dead_letter")
    _expect(problems, "R hub: dead letters", dead, 0)
    return problems


def _expect(problems: list[str], what: str, found: int, wanted: int) -> None:
    if found != wanted:
        problems.append(f"{what}: {found}, not {wanted}")


class Day(NamedTuple):
    """Input of job G: canonical events."""

    opening: list[Input]
    events: list[Input]


def rugao_input(settings: Settings, records: int) -> Day:
    """The opening of a city and the events of its day."""
    made = city(records)
    return Day(*(canonical(settings, raw(settings, part)) for part in made))


async def rugao(place: Place, day: Day) -> Round:
    """One round of job G: the whole profile over the day of a city that is on record."""
    problems = list[str]()
    opened, total = len(day.opening), len(day.opening) + len(day.events)
    async with ground(*place, extra=_EXTRA[:1]) as here:
        await here.load(day.opening)
        await run_worker(here, DECIDING, opened)
        await here.load(day.events)
        topics = sorted({one.topic for one in day.events})
        raw_figures = await run_forward(here, topics, await here.made(topics))
        figures = await run_worker(here, DECIDING, total, job="rugao")
        distinct = {decode_event(one.value).event_id for one in (*day.opening, *day.events)}
        missing = await _unseen(here, distinct)
        gaps = await readbacks.gaps(here)
    _expect(problems, "G hub: events without a disposition", missing, 0)
    _expect(problems, "G hub: numbers lost or twice on the wire", gaps, 0)
    return Round({"raw": raw_figures, "hub": figures}, problems)


async def _unseen(here: Ground, ids: set[str]) -> int:
    rows = await here.db.fetch("SELECT event_id::text FROM seen_event")
    return len(ids - {row[0] for row in rows})
