"""Stores: a command's connection to the hub's database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from hub.cli.addresses import addresses
from hub.kernel.clocks import clock_from, epoch_ms
from hub.kernel.errors import HubError
from hub.kernel.settings import settings
from hub.store.connections import close, connect, is_fault


@asynccontextmanager
async def store() -> AsyncIterator[tuple[asyncpg.Connection, int]]:
    """A connection and the instant (ms since 1970, by the hub's clock).

    Raises:
        HubError: the database cannot be reached, or holds no tables yet.
    """
    chosen = settings()
    clock = clock_from(chosen.clock, synthetic_people=chosen.synthetic_people)
    found = addresses(chosen)
    try:
        connection = await connect(found.database, enable_seqscan="on")
    except (OSError, asyncpg.PostgresError) as error:
        raise HubError(
            f"The database cannot be reached: {type(error).__name__}.",
            hint="Check HUB_DATABASE, then run 'hub doctor'.",
            message_zh="无法连接数据库;请检查 HUB_DATABASE,再运行 hub doctor。",
        ) from error
    try:
        yield connection, epoch_ms(clock.now())
    except asyncpg.UndefinedTableError as error:
        raise HubError(
            "The database has no tables of the hub yet.",
            hint="Start 'hub dev' or 'hub worker' once; they create them.",
            message_zh="数据库中还没有枢纽的表;先启动一次 hub dev 或 hub worker。",
        ) from error
    except (OSError, asyncpg.PostgresError) as error:
        if not is_fault(error):
            raise
        raise HubError(
            "The database went away.", hint="Try again.", message_zh="数据库连接中断,请重试。"
        ) from error
    finally:
        await close(connection)
