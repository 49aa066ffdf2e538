"""The proxies do to real connections what a case asks for."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from tests.faults.harness.commits import CommitCut, Messages
from tests.faults.harness.proxies import Proxy, Weather


@asynccontextmanager
async def echo():
    async def serve(reader, writer):
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()[:2]
    proxy = Proxy(lambda: address, random.Random(1))  # noqa: S311 - faults, not secrets
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
        server.close()


async def said(reader, writer, text: bytes, seconds: float = 5.0) -> bytes:
    writer.write(text)
    return await asyncio.wait_for(reader.readexactly(len(text)), seconds)


async def test_bytes_pass_in_both_directions_and_survive_a_held_line():
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await said(reader, writer, b"one") == b"one"
        for weather in (Weather(hold_up=True), Weather(hold_down=True)):
            proxy.weather = weather
            with pytest.raises(TimeoutError):
                await said(reader, writer, b"two", 0.3)
            proxy.clear()
            assert await asyncio.wait_for(reader.readexactly(3), 5) == b"two"


async def test_a_cut_resets_what_is_open_and_refuses_what_is_new():
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        await said(reader, writer, b"one")
        proxy.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await said(reader, writer, b"two")
        again, out = await asyncio.open_connection("127.0.0.1", proxy.port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await said(again, out, b"three")
        proxy.clear()
        last, out = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await said(last, out, b"four") == b"four"


async def test_a_half_open_line_is_accepted_and_answers_only_when_it_clears():
    async with echo() as proxy:
        proxy.weather = Weather(half_open=True)
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        with pytest.raises(TimeoutError):
            await said(reader, writer, b"one", 0.3)
        proxy.clear()
        assert await asyncio.wait_for(reader.readexactly(3), 5) == b"one"


async def test_a_delay_makes_each_way_late_and_resets_hit_open_connections():
    async with echo() as proxy:
        proxy.weather = Weather(delay=0.1, jitter=0.02)
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        begin = time.monotonic()
        await said(reader, writer, b"one")
        assert time.monotonic() - begin >= 0.16
        proxy.weather = Weather(resets=1.0)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 5)
        assert proxy.resets == 1


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">i", len(body) + 4) + body


def test_a_commit_is_found_as_simple_query_and_as_prepared_statement_over_any_cuts():
    startup = struct.pack(">ii", 9, 3 << 16) + b"\0"
    stream = b"".join(
        [
            struct.pack(">ii", 8, 80877103),  # may we speak TLS?
            startup,
            message(b"Q", b"SELECT 'COMMIT'\0"),
            message(b"Q", b"COMMIT;\0"),
            message(b"P", b"s1\0commit\0\0\0"),
            message(b"B", b"\0s1\0\0\0\0\0\0\0"),
            message(b"E", b"\0\0\0\0\0"),
            message(b"B", b"\0s2\0\0\0\0\0\0\0"),
            message(b"E", b"\0\0\0\0\0"),
        ]
    )
    for size in (1, 7, len(stream)):
        messages = Messages()
        parts = [stream[i : i + size] for i in range(0, len(stream), size)]
        assert sum(messages.feed(part) for part in parts) == 2


@pytest.mark.embedded
@pytest.mark.parametrize("executed", [False, True])
async def test_a_cut_commit_leaves_its_client_without_an_answer(fresh_database, executed):
    dsn = await fresh_database()
    socket = Path(parse_qs(urlsplit(dsn).query)["host"][0]) / ".s.PGSQL.5432"
    proxy = Proxy(lambda: socket, random.Random(1))  # noqa: S311 - as above
    await proxy.start()
    name = urlsplit(dsn).path
    address = f"postgresql://postgres@127.0.0.1:{proxy.port}{name}?sslmode=disable"
    direct = await asyncpg.connect(dsn)
    through = await asyncpg.connect(address)
    try:
        await through.execute("CREATE TABLE t (n int)")
        proxy.commits = cut = CommitCut(1, executed)
        with pytest.raises((asyncpg.PostgresConnectionError, OSError)):
            async with through.transaction():
                await through.execute("INSERT INTO t VALUES (1)")
        assert cut.done == 1
        assert await direct.fetchval("SELECT count(*) FROM t") == int(executed)
    finally:
        through.terminate()
        await direct.close()
        await proxy.stop()
