"""Benches: events per second and CPU per event of intake and decide, beside a plain forward.

Everything is real: ``hub worker`` as a process of its own with connectors' mappings and the
profile's rules, broker and database. The forward loop moves the same bytes without any work, so
the figures can be read against this machine. ``make bench`` measures more with the same parts.
"""

from __future__ import annotations

import asyncpg

from hub.embedded.services import Services
from hub.kernel.settings import Settings
from hub.runtime.bench_admissions import admissions
from hub.runtime.bench_cities import city
from hub.runtime.bench_grounds import ground
from hub.runtime.bench_inputs import canonical, mix, raw
from hub.runtime.bench_runs import Figures, run_forward, run_worker

DECIDING = "decide,deliver,timers"


async def run(settings: Settings, services: Services, job: str, events: int) -> list[Figures]:
    """Measure the forward loop and one job on the same input.

    Args:
        settings: Of the process.
        services: Broker and database.
        job: ``intake`` (admissions of one department) or ``decide`` (a day of the whole city).
        events: How many raw records.
    """
    chosen = settings.model_copy(update={"synthetic_people": True})
    async with ground(chosen, services, extra=["bench.forward"]) as here:
        if job == "intake":
            records = shown = raw(chosen, admissions(events))
            opened = 0
        else:
            made = city(events)
            opening = canonical(chosen, raw(chosen, made.opening))
            shown = raw(chosen, made.day)
            records = canonical(chosen, shown)
            opened = len(opening)
            await here.load(opening)
            await run_worker(here, DECIDING, opened)
        before = await _rows(here.db)
        await here.load(records)
        topics = sorted({one.topic for one in records})
        plain = await run_forward(here, topics, opened + len(records))
        stages = "intake" if job == "intake" else DECIDING
        figures = await run_worker(here, stages, opened + len(records), job=job)
        # Once more, because the first one also warms the broker up: the faster one counts.
        again = await run_forward(here, topics, opened + len(records))
        plain = max(plain, again, key=lambda one: one.per_second)
        figures.ratio = round(figures.per_second / max(plain.per_second, 1), 3)
        figures.mix = mix(shown)
        if job == "decide":
            after = await _rows(here.db)
            figures.rows = {
                name: round((count - before[name]) / len(records), 2)
                for name, count in after.items()
            }
        return [plain, figures]


async def _rows(db: asyncpg.Connection) -> dict[str, int]:
    """What decide has left in the database."""
    ((deliveries, denials, audit),) = await db.fetch(
        "SELECT (SELECT count(*) FROM delivery),"
        " (SELECT sum(json_array_length(doc -> 'denied')) FROM audit),"
        " (SELECT count(*) FROM audit)"
    )
    found = {"deliveries": deliveries, "denials": denials, "audit": audit}
    return {name: int(count or 0) for name, count in found.items()}
