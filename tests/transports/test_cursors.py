"""Cursors: what was saved is there, also after a torn write."""

import asyncpg
import pytest

from hub.kernel.clocks import SystemClock
from hub.kernel.errors import HubError
from hub.transports.cursors import DatabaseCursors, FileCursors

TABLE = """CREATE TABLE connector_cursor (connector text, item text, position jsonb NOT NULL,
    updated_at bigint NOT NULL, PRIMARY KEY (connector, item))"""


async def check(cursors):
    assert await cursors.load("health", "stays") == {}
    await cursors.save("health", "stays", {"from": "2025-04-01", "window": {"a": 1}})
    await cursors.save("health", "stays", {"from": "住院"})
    await cursors.save("health", "deaths", {"from": None})
    assert await cursors.load("health", "stays") == {"from": "住院"}


async def test_files_keep_the_last_position(tmp_path):
    await check(FileCursors(tmp_path))
    assert sorted(path.name for path in (tmp_path / "health").iterdir()) == [
        "deaths.json",
        "stays.json",
    ]


async def test_the_database_keeps_the_last_position(fresh_database):
    async with asyncpg.create_pool(await fresh_database(), min_size=1, max_size=1) as pool:
        await pool.execute(TABLE)
        await check(DatabaseCursors(pool, SystemClock()))


@pytest.mark.parametrize("content", [b"", b"{", b"[1]"])
async def test_a_damaged_cursor_file_says_what_to_do(tmp_path, content):
    (tmp_path / "health").mkdir()
    (tmp_path / "health" / "stays.json").write_bytes(content)
    with pytest.raises(HubError, match="Remove the file"):
        await FileCursors(tmp_path).load("health", "stays")


async def test_a_write_cut_short_leaves_the_old_position(tmp_path):
    cursors = FileCursors(tmp_path)
    await cursors.save("health", "stays", {"from": 1})
    (tmp_path / "health" / "stays.99.draft").write_bytes(b'{"fr')
    assert await cursors.load("health", "stays") == {"from": 1}
