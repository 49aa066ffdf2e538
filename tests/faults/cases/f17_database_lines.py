"""F17: the line to PostgreSQL is cut or half open, sessions run out, commits fail, the disk is slow."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.proxies import Weather
from tests.faults.harness.sites import Site

CASE = Case(
    "F17",
    "与数据库断网、半开、连接耗尽、5% 提交失败、磁盘慢",
    "Database cut off, half open, no session left, 5 % of commits fail, slow disk",
    quick=Scale(seconds=10, load=Load(80), recovery=60),
    full=Scale("full", seconds=300, load=Load(200), recovery=60),
    sabotages=("offsets_before_commit",),
)
_SHARE = 0.05
_SLOW_SHARE, _SLOW_SECONDS = 0.2, 2.0
_REST = 3.0
_AT_COMMIT = """
CREATE FUNCTION faults_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < {share} THEN {what} END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER faults_at_commit AFTER UPDATE ON partition_claim
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION faults_at_commit();
"""
_NO_MORE = """
DROP TRIGGER faults_at_commit ON partition_claim;
DROP FUNCTION faults_at_commit();
"""
_DEADLOCK = "RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01';"
_CONFLICT = "RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';"
_SLOW = f"PERFORM pg_sleep({_SLOW_SECONDS});"


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """One trouble after another, each followed by a short rest."""
    del dice
    line = site.postgres
    for what, weather in (
        ("断网 · cut off", Weather(hold_up=True, hold_down=True)),
        ("半开 · half open", Weather(half_open=True)),
    ):
        site.tell(f"{what} {scale.seconds:.0f} s")
        line.weather = weather
        if weather.half_open:
            line.sever()
        await asyncio.sleep(scale.seconds)
        line.clear()
        await asyncio.sleep(_REST)
    async with _crowded(site):
        site.tell(f"连接耗尽 · no session left {scale.seconds:.0f} s")
        line.sever()
        await asyncio.sleep(scale.seconds)
    await asyncio.sleep(_REST)
    for what, share, act in (
        ("死锁 · deadlocks", _SHARE, _DEADLOCK),
        ("串行化失败 · conflicts", _SHARE, _CONFLICT),
        ("磁盘慢 · slow disk", _SLOW_SHARE, _SLOW),
    ):
        site.tell(f"{what} {share:.0%}")
        async with _at_commit(site, share, act):
            await asyncio.sleep(scale.seconds)


@asynccontextmanager
async def _crowded(site: Site) -> AsyncIterator[None]:
    """Take every session of the server but those that end meanwhile."""
    taken: list[asyncpg.Connection] = []

    async def take() -> None:
        while True:
            try:
                taken.append(await asyncpg.connect(site.database))
            except asyncpg.TooManyConnectionsError:
                await asyncio.sleep(0.05)

    taking = asyncio.create_task(take())
    await asyncio.sleep(_REST)
    try:
        yield
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        site.notes["sessions taken"] = len(taken)
        for one in taken:
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                await one.close(timeout=5)


@asynccontextmanager
async def _at_commit(site: Site, share: float, act: str) -> AsyncIterator[None]:
    """The server itself fails or waits while it commits, for a share of the claims that move."""
    connection = await asyncpg.connect(site.database)
    try:
        await connection.execute(_AT_COMMIT.format(share=share, what=act))
        try:
            yield
        finally:
            await connection.execute(_NO_MORE)
    finally:
        await connection.close()
