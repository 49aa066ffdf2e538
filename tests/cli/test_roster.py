"""``hub roster load`` against a real database."""

from datetime import date

import asyncpg
import pytest

from hub.cli import roster
from hub.cli.roster_files import RosterFile
from hub.embedded.city.people import synthetic_id
from hub.intake.people import People
from hub.kernel.person_keys import UidKey
from hub.kernel.settings import settings
from hub.runtime import openings
from hub.store.migrations import migrate

HEADS = "家庭编号,姓名,证件号码,与户主关系,救助类别,生效日期,照护等级,学籍号,电力户号\n"


@pytest.mark.embedded
async def test_a_roster_file_is_loaded_once_audited_and_sends_nothing(
    tmp_path, monkeypatch, fresh_database
):
    dsn = await fresh_database()
    connection = await asyncpg.connect(dsn)
    await migrate(connection)
    monkeypatch.setenv("HUB_DATABASE", dsn)
    monkeypatch.setenv("HUB_KAFKA", "127.0.0.1:1")
    settings.cache_clear()
    path = tmp_path / "roster.csv"
    numbers = [synthetic_id("0682", date(1980, 5, 6), order) for order in (1, 3)]
    path.write_text(
        HEADS
        + f"H-1,张三,{numbers[0]},户主,低保,2024-01-01,,,M-1\n"
        + f"H-2,李四,{numbers[1]},户主,五保,2024-02-01,半自理,,M-2\n",
        encoding="utf-8",
    )
    for _ in range(2):
        with RosterFile(path, People(UidKey(b"k" * 32), synthetic=True)) as file:
            roster._check(file)
            await roster._load(file)
    try:
        count = connection.fetchval
        assert await count("SELECT count(*) FROM referral WHERE state = 'served'") == 4
        assert await count("SELECT count(*) FROM person") == 2
        assert await count("SELECT count(*) FROM roster_row") == 6
        assert await count("SELECT count(*) FROM outbox") == 0
        assert await count("SELECT count(*) FROM audit WHERE kind = 'roster_load'") == 2
        assert await count("SELECT max(rev) FROM referral") == 1
        shown = await roster._shown("")
        assert {(r["recipient"], r["rows"]) for r in shown} == {
            ("medical-insurance", 2),
            ("poverty-alleviation", 2),
            ("power-supply", 2),
        }
    finally:
        await connection.close()
        settings.cache_clear()


class KilledError(Exception):
    """The load ends after a commit."""


@pytest.mark.embedded
async def test_a_load_that_was_killed_goes_on_after_its_last_commit(
    tmp_path, monkeypatch, fresh_database, capsys
):
    dsn = await fresh_database()
    connection = await asyncpg.connect(dsn)
    await migrate(connection)
    monkeypatch.setenv("HUB_DATABASE", dsn)
    monkeypatch.setenv("HUB_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr(openings, "CHUNK", 2)
    settings.cache_clear()
    path = tmp_path / "roster.csv"
    lines = [
        f"H-{order % 5},张三,{synthetic_id('0682', date(1980, 5, 6), order)},,低保,2024-01-01,,,\n"
        for order in range(10)
    ]
    path.write_text(HEADS + "".join(lines), encoding="utf-8")

    async def load():
        with RosterFile(path, People(UidKey(b"k" * 32), synthetic=True), block=3) as file:
            roster._check(file)
            await roster._load(file)

    def stop_at_eight(_progress, _people, part, _whole):
        if part == 8:
            raise KilledError

    count = connection.fetchval
    try:
        with monkeypatch.context() as patch:
            patch.setattr(roster.Progress, "tell", stop_at_eight)
            with pytest.raises(KilledError):
                await load()
        assert await count("SELECT count(*) FROM household") == 4
        assert await count("SELECT count(*) FROM person") == 8
        await load()
        assert "4 households, 8 people" in capsys.readouterr().out
        assert await count("SELECT count(*) FROM household") == 5
        assert await count("SELECT count(*) FROM person") == 10
        assert await count("SELECT max(rev) FROM person") == 1
        said = await connection.fetch(
            "SELECT doc->>'households' AS homes, doc->>'through' AS through FROM audit"
            " WHERE kind = 'roster_load' ORDER BY id"
        )
        assert [tuple(row) for row in said] == [("2", "2"), ("2", "4"), ("1", "5")]
    finally:
        await connection.close()
        settings.cache_clear()
