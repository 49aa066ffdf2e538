"""The server keeps commits, runs below closed folders and long paths, and comes back."""

from __future__ import annotations

import signal
import stat
import subprocess
import time

import asyncpg
import pytest

from hub.embedded.databases import drop_database, make_database
from hub.embedded.postgres import PostgresNode
from hub.embedded.processes import command_line, end_orphan
from hub.kernel.errors import HubError


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_a_committed_row_survives_a_killed_server(data_dir):
    node = PostgresNode(data_dir)
    await node.start()
    try:
        await ask(node.dsn, "CREATE TABLE t AS SELECT 7 AS seven")
        await node.kill()
        await node.start()
        assert await ask(node.dsn, "SELECT seven FROM t") == 7
    finally:
        await node.stop()


async def test_a_closed_parent_and_a_long_path_are_no_obstacle(data_dir):
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / ("长" * 40)
    node = PostgresNode(folder)
    await node.start()
    try:
        assert await ask(node.dsn, "SELECT 1") == 1
        assert "/tmp/hub-" in node.dsn  # noqa: S108 - the short folder is what is tested
    finally:
        await node.stop()
    # It may be passed through now where root lent an account, but still not listed.
    assert stat.S_IMODE(closed.stat().st_mode) in {0o700, 0o701}


async def test_commits_are_durable_and_the_data_folder_is_closed_to_others(database, services):
    assert await ask(database, "SHOW synchronous_commit") == "on"
    assert await ask(database, "SHOW fsync") == "on"
    assert await ask(database, "SHOW full_page_writes") == "on"
    assert await ask(database, "SHOW listen_addresses") == ""
    assert (
        int(await ask(database, "SELECT setting FROM pg_settings WHERE name='max_connections'"))
        == 100
    )
    assert stat.S_IMODE(services.server.folder.stat().st_mode) == 0o700


async def test_chinese_text_keeps_its_letters_and_sorts_by_code_point(fresh_database):
    dsn = await fresh_database()
    assert await ask(dsn, "SHOW server_encoding") == "UTF8"
    assert await ask(dsn, "SELECT upper('é') || '救助' ") == "É救助"


async def test_a_database_is_made_from_a_template_and_dropped_under_open_sessions(
    database, fresh_database
):
    template = await fresh_database()
    await ask(template, "CREATE TABLE t AS SELECT 5 AS five")
    made = await make_database(database, template)
    connection = await asyncpg.connect(made)
    assert await connection.fetchval("SELECT five FROM t") == 5
    await drop_database(database, made)
    connection.terminate()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(made)
    await drop_database(database, made)


@pytest.fixture
def stranger():
    child = subprocess.Popen(["sleep", "30"])
    while not command_line(child.pid):
        time.sleep(0.01)  # the system fills it in a moment after the start
    yield child
    child.kill()
    child.wait()


async def test_a_process_that_took_over_the_number_is_left_alone(data_dir, stranger):
    (data_dir / "postgres").mkdir()
    pid_file = data_dir / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{stranger.pid}\n{data_dir}\n")
    assert not await PostgresNode(data_dir).end_orphan()
    assert not pid_file.exists()
    assert stranger.poll() is None


async def test_a_process_that_does_not_end_is_named(tmp_path, stranger):
    pid_file = tmp_path / "pid"
    pid_file.write_text(f"{stranger.pid}\n")
    with pytest.raises(HubError) as caught:
        await end_orphan(pid_file, ("sleep",), ((signal.SIGCONT, 0.05),))
    assert str(stranger.pid) in caught.value.message
    assert str(stranger.pid) in caught.value.message_zh
