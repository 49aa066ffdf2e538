from __future__ import annotations

import asyncio
import json

import asyncpg


async def put(dsn):
    db = await asyncpg.connect(dsn)
    await db.execute(
        "INSERT INTO subscription (id, topic, mode, next_seq) VALUES ('parked-test', 't', 'webhook', 3)"
    )
    await db.executemany(
        "INSERT INTO delivery (subscription, generation, seq, topic, copy_id, key, headers, body,"
        " event_id, type, created_at, fields, occurred_at, moved_at, state, parked, error)"
        " VALUES ('parked-test', 1, $1, 't', 'c', '', '', '', 'e', 'x', 1, '[]', 1, 1, 'parked',"
        " 'refused', '404 Not Found')",
        [(1,), (2,)],
    )
    await db.close()


def test_parked_copies_are_listed_tried_again_and_given_up_by_somebody_with_a_reason(
    shell, prepared, monkeypatch
):
    for name, value in prepared.items():
        monkeypatch.setenv(name, value)
    asyncio.run(put(prepared["HUB_DATABASE"]))
    act = ("--as", "li.wei", "--reason", "mended")
    _, out, _ = shell("parked", "list", "parked-test", "--json")
    assert [row["seq"] for row in json.loads(out)] == [1, 2]
    assert "对方拒收" in shell("parked", "list", "parked-test")[1]
    assert shell("parked", "show", "parked-test", "1/2")[0] == 0
    assert shell("parked", "give-up", "parked-test", "2")[0] == 1
    assert shell("parked", "give-up", "parked-test", "2", *act)[0] == 0
    assert shell("parked", "give-up", "parked-test", "2", *act)[0] == 1
    assert shell("parked", "retry", "parked-test", *act)[0] == 1
    code, out, _ = shell("parked", "retry", "parked-test", "--all", *act)
    assert (code, out.split()[0]) == (0, "1")
    assert "没有停放" in shell("parked", "list", "parked-test")[1]


def test_a_restore_is_declared_by_somebody_with_a_reason(shell, prepared, monkeypatch):
    for name, value in prepared.items():
        monkeypatch.setenv(name, value)
    assert shell("restore", "declare")[0] == 1
    assert shell("restore", "declare", "--as", "li.wei", "--reason", "disk put back")[0] == 0
    _, out, _ = shell("restore", "show", "--json")
    assert {row["next_generation"] for row in json.loads(out) if row["last_seq"]} <= {2}
