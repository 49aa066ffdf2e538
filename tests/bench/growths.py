"""Part growth: what an event costs as persons, events seen and subscriptions become many.

The tables are filled by COPY with rows of the store's own columns, shaped like those that the hub
itself wrote a moment before. The cost is CPU of worker and database per event, which a shared
machine disturbs less than speed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg

from hub.kernel.person_keys import UidKey
from hub.kernel.secrets import Secrets
from hub.runtime.bench_admissions import id_number
from hub.runtime.bench_grounds import Ground, Input, ground
from hub.runtime.bench_inputs import canonical
from hub.runtime.bench_runs import Figures, claimed, run_worker
from hub.store.records import tables
from tests.bench.grants import raws, referring
from tests.bench.jobs import DECIDING, Place

_FEW = 10_000
_CHUNK = 50_000
_MONTHS = 6


async def growth(place: Place, persons: int, seen: int, events: int) -> dict[str, Any]:
    """Cost per event with few and many persons on record, then with many events seen.

    Args:
        place: Broker, database, keys, and the bench profile.
        persons: On record at last.
        seen: Events seen at last.
        events: Measured at each size; about people who are on record.
    """
    few = min(_FEW, persons // 2)
    async with ground(*place) as here:
        filler = _Filler(here)
        # Somebody must have written rows before theirs can be taken as the pattern.
        employed = canonical(here.settings, raws(here.settings, 1_000, persons))
        await _worked(here, [one for one in employed if one.topic == "event.employment"])
        await filler.persons(0, few)
        first = await _worked(here, _about(here, events, few, 0))
        await filler.persons(few, persons)
        second = await _worked(here, _about(here, events, persons, 1))
        await filler.seen(seen)
        third = await _worked(here, _about(here, events, persons, 2))
        size = await here.db.fetchval("SELECT pg_database_size(current_database())")
    return {
        "persons": _ratio(first, second),
        "seen": _ratio(second, third),
        "details": {
            f"µs at {few:,} persons": _cost(first),
            f"µs at {persons:,} persons": _cost(second),
            f"µs at {persons:,} persons and {seen:,} events seen": _cost(third),
            "events/s at each": [one.per_second for one in (first, second, third)],
            "database MB": round(size / 1e6),
        },
    }


def _about(here: Ground, events: int, persons: int, turn: int) -> list[Input]:
    """Events about people who are on record, spread over all of them.

    With fewer people on record than the events are about, the others are new ones.
    """
    stride = max(3, persons * 5 // events)
    return referring(here.settings, events, first=turn, stride=stride).records


async def _worked(here: Ground, records: Sequence[Input]) -> Figures:
    done = await claimed(here)()
    await here.load(records)
    return await run_worker(here, DECIDING, done + len(records))


def _cost(one: Figures) -> float:
    return round(one.micros["worker"] + one.micros["database"], 2)


def _ratio(before: Figures, after: Figures) -> float:
    return round(_cost(after) / _cost(before), 3)


class _Filler:
    """Fills the tables of a ground.

    Args:
        here: A ground on which the hub has worked something.
    """

    def __init__(self, here: Ground) -> None:
        self._here = here
        self._uid = UidKey(Secrets.load(here.settings).k_uid).uid
        self._table = tables()["person"]

    async def persons(self, first: int, end: int) -> None:
        """Persons by number, each with the facts of somebody who had four jobs."""
        pattern = await self._here.db.fetchrow(
            f"SELECT {', '.join(self._table.columns)}, rev FROM person p"  # noqa: S608 - own names
            " WHERE NOT EXISTS (SELECT 1 FROM referral r WHERE r.uid = p.uid)"
            " ORDER BY length(facts::text) DESC, uid LIMIT 1"
        )
        columns = [*self._table.columns, "rev"]
        for start in range(first, end, _CHUNK):
            rows = self._people(pattern, range(start, min(end, start + _CHUNK)))
            # A person who came as an event before is left as the hub wrote it.
            await _copied(self._here.db, "person", columns, rows)
        await self._here.db.execute("VACUUM ANALYZE person", timeout=300)

    def _people(self, pattern: asyncpg.Record, numbers: range) -> Iterator[Sequence[Any]]:
        _uid, *rest = pattern
        for number in numbers:
            yield (self._uid(id_number(number)), *rest)

    async def seen(self, count: int) -> None:
        """Events of the last six months, made by the server from those that are there."""
        await self._here.db.execute(
            "INSERT INTO seen_event (month, event_id, digest, disposition, reason, type, part,"
            " off, at) SELECT s.month, gen_random_uuid(), s.digest, s.disposition, s.reason,"
            " s.type, s.part, s.off, s.at FROM (SELECT *, row_number() OVER () AS place FROM"
            " (SELECT * FROM seen_event ORDER BY event_id LIMIT 1000) AS first) AS s"
            " JOIN generate_series(1, $1::bigint) AS made (number) ON s.place = made.number % 1000 + 1",
            count,
            timeout=900,
        )
        await self._here.db.execute("VACUUM ANALYZE seen_event", timeout=900)


async def _copied(
    db: asyncpg.Connection, table: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]
) -> None:
    await db.execute(f"CREATE TEMP TABLE IF NOT EXISTS filling (LIKE {table})")
    await db.copy_records_to_table("filling", records=rows, columns=columns, timeout=300)
    await db.execute(
        f"INSERT INTO {table} SELECT * FROM filling ON CONFLICT DO NOTHING",  # noqa: S608 - own name
        timeout=300,
    )
    await db.execute("TRUNCATE filling")
