"""Setting up: topics, databases, tables and the opening balance of the city."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import asyncpg
import msgspec

from hub.cli.demos.openings import load, rows_of
from hub.cli.demos.runs import RunNote, keep
from hub.contracts.catalogues import catalogue
from hub.contracts.provisions import apply
from hub.embedded.city.casts import Cast
from hub.embedded.city.households import Household
from hub.embedded.city.offices import create_tables, queue_topics
from hub.embedded.city.stories import known_pupils, opening
from hub.embedded.databases import make_database
from hub.kernel.clocks import SystemClock, epoch_ms
from hub.kernel.person_keys import UidKey
from hub.kernel.settings import Settings
from hub.sdk.manifests import Manifest
from hub.sdk.profiles import Profile
from hub.store.connections import close, connect
from hub.store.migrations import migrate

EXCHANGE = "departments"
"""Name of the database where the departments' tables stand."""


class Town(NamedTuple):
    """Who lives there: the story's cast and the rest of the city."""

    cast: Cast
    city: list[Household]
    today: date


async def make_topics(settings: Settings, manifests: dict[str, Manifest]) -> None:
    """The hub's topics, and those of the departments' own queues.

    Raises:
        HubError: the broker refused.
    """
    declared = catalogue().topics
    pattern = next(iter(declared.values()))
    queues = [
        msgspec.structs.replace(pattern, name=name, partitions=1)
        for name in queue_topics(manifests)
    ]
    await apply(settings.kafka, [*declared.values(), *queues], settings.partitions, 1)


async def make_tables(database: str, exchange: str, manifests: dict[str, Manifest]) -> None:
    """The hub's tables, and the departments' in a database of their own."""
    connection = await connect(database)
    try:
        await migrate(connection)
        there = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", EXCHANGE)
    finally:
        await close(connection)
    if there is None:
        await make_database(database, name=EXCHANGE)
    await create_tables(manifests, exchange)


async def load_opening(
    settings: Settings, run: RunNote, town: Town, uid: UidKey, profile: Profile
) -> RunNote:
    """Everybody on roll before the story: the city once, the story's families in each run."""
    now = epoch_ms(SystemClock().now())
    pupils = known_pupils(town.cast)
    told = [
        row
        for family in opening(town.cast)
        for row in rows_of(family, uid, town.today, pupils=pupils)
    ]
    connection: asyncpg.Connection = await connect(settings.database)
    try:
        if not run.loaded:
            covered = [family for family in town.city if family.category]
            rows = [row for family in covered for row in rows_of(family, uid, town.today)]
            await load(connection, rows, profile, now=now, name="city")
            run = keep(settings.data_dir, msgspec.structs.replace(run, loaded=True))
        await load(connection, told, profile, now=now, name=f"run-{run.number}")
    finally:
        await close(connection)
    return run
