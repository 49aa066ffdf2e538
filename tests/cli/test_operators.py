from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from hub.store.dead_letters import DeadLetterRow, id_of, write

LETTER = id_of("in.village.reports", 0, 7)


@pytest.fixture
def letter(prepared):
    import asyncpg

    row = DeadLetterRow(
        LETTER, "decide", "event.need", 0, 7, "village", "W-1", None, "need.discovered", "m", "E-ID-CHECK",
        "identity", "id_number", "", b"k", b"secret content", b"h", 1, 1_743_000_000_000,
    )  # fmt: skip

    async def go() -> None:
        connection = await asyncpg.connect(prepared["HUB_DATABASE"])
        await write(connection, [row])
        await connection.close()

    asyncio.run(go())


def test_a_key_is_shown_once_listed_and_revoked(hub):
    code, out, _ = hub("keys", "new", "department:health", "--json")
    made = json.loads(out)
    assert code == 0
    assert made["key"].startswith("hub_")
    _, out, _ = hub("keys", "list", "--json")
    assert made["key"] not in out
    assert made["id"] in out
    assert hub("keys", "revoke", made["id"])[0] == 0
    code, _, err = hub("keys", "revoke", made["id"])
    assert code == 1
    assert "hub keys list" in err


@pytest.mark.parametrize(
    ("who", "code"), [("health", 2), ("department:nobody", 1), ("program:nobody", 1)]
)
def test_a_key_for_nobody_is_refused(hub, who, code):
    assert hub("keys", "new", who)[0] == code


def test_dead_letters_are_listed_with_their_mend_and_without_content(hub, letter):
    _, out, _ = hub("dlq", "list")
    assert "证件号码校验码不对,请核对原件" in out.replace("\n", "")
    _, out, _ = hub("dlq", "list", "--json", "--code", "E-ID-CHECK", "--source", "village")
    assert [row["id"] for row in json.loads(out)] == [LETTER]
    _, out, _ = hub("dlq", "list", "--source", "health")
    assert "没有死信" in out
    code, out, _ = hub("dlq", "show", LETTER[:8])
    assert code == 0
    assert "secret content" not in out
    assert "id_number" in out
    assert hub("dlq", "show", "ffffffff")[0] == 1
    assert hub("dlq", "list", "--state", "odd")[0] == 1


def test_a_matter_is_traced(hub, letter):
    code, out, _ = hub("trace", LETTER)
    assert code == 0
    assert "死信" in out
    _, out, _ = hub("trace", LETTER, "--json")
    assert json.loads(out)["hops"][0]["stage"] == "dead_letter"
    code, _, err = hub("trace", "unknown-1")
    assert code == 1
    assert "没有关于 unknown-1 的记录" in err


def test_the_doctor_finds_nothing_where_all_is_well(hub):
    code, out, _ = hub("doctor", "--json")
    found = json.loads(out)
    assert [f for f in found["findings"] if f["state"] == "problem"] == []
    assert code == 0
    parts = {finding["part"] for finding in found["findings"]}
    assert {"topics", "migrations", "broker clock", "database clock", "secrets"} <= parts


def test_the_doctor_names_the_mend_of_each_problem(hub, prepared, monkeypatch, sql):
    secret = Path(prepared["HUB_DATA_DIR"]) / "secrets" / "k_uid"
    secret.chmod(0o644)
    sql("UPDATE migration SET number = 0 WHERE number = 1")
    sql("DELETE FROM migration WHERE number > 1")
    monkeypatch.setenv("HUB_PARTITIONS", "2")
    from hub.kernel.settings import settings

    settings.cache_clear()
    code, out, _ = hub("doctor", "--json")
    problems = {f["part"]: f for f in json.loads(out)["findings"] if f["state"] == "problem"}
    secret.chmod(0o600)
    assert code == 1
    assert problems["secrets"]["mend_en"] == f"chmod go-rwx {secret}"
    assert "hub worker" in problems["migrations"]["mend_en"]
    assert "hub topics plan" in problems["topics"]["mend_en"]


def test_the_doctor_says_what_it_cannot_reach(shell, monkeypatch, tmp_path):
    monkeypatch.setenv("HUB_KAFKA", "127.0.0.1:9")
    monkeypatch.setenv("HUB_DATABASE", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    code, out, _ = shell("doctor", "--json")
    problems = {f["part"] for f in json.loads(out)["findings"] if f["state"] == "problem"}
    assert code == 1
    assert {"broker", "database", "secrets"} <= problems


def test_without_services_a_command_says_how_to_start_them(shell, monkeypatch, tmp_path):
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    code, _, err = shell("dlq", "list")
    assert code == 1
    assert "hub dev" in err


def test_settings_are_explained_without_passwords(shell, monkeypatch):
    monkeypatch.setenv("HUB_DATABASE", "postgresql://hub:geheim@db:5432/hub")
    code, out, _ = shell("config", "explain", "--json")
    assert code == 0
    assert "geheim" not in out
    rows = {row["variable"]: row for row in json.loads(out)}
    assert rows["HUB_DATABASE"]["value"] == "postgresql://hub:***@db:5432/hub"
    assert rows["HUB_GATEWAY_PUBLIC"]["meaning"]
