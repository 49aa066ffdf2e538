from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from hub.model.outbox import pack
from hub.store.dead_letters import DeadLetterRow, id_of, write

LETTER = id_of("in.village.reports", 0, 7)


@pytest.fixture
def letter(prepared):
    import asyncpg

    row = DeadLetterRow(
        LETTER, "decide", "event.need", 0, 7, "village", "W-1", None, "need.discovered", "m", "E-ID-CHECK",
        "identity", "id_number", "", b"k", b'{"id_number": "99068219860520031X", "name": "secret \\u5f20"}', pack([]), 1, 1_743_000_000_000,
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
    assert "secret" not in out
    assert "99068219860520031X" not in out
    assert '"99999999999999999x"' in out
    assert '"xxxxxx 字"' in out
    assert hub("dlq", "show", "ffffffff")[0] == 1
    assert hub("dlq", "list", "--state", "odd")[0] == 1


def test_raw_bytes_of_a_dead_letter_take_a_person_and_a_reason_and_are_audited(
    hub, letter, sql_row
):
    code, out, err = hub("dlq", "show", LETTER[:8], "--raw")
    assert (code, "--as" in err) == (1, True)
    code, out, _ = hub("dlq", "show", LETTER[:8], "--raw", "--as", "li", "--reason", "appeal 7")
    assert (code, b"secret".hex() in out) == (0, True)
    row = sql_row("SELECT actor, doc->>'reason' FROM audit WHERE kind = 'dead_letter.revealed'")
    assert row == ("li", "appeal 7")
    assert hub("dlq", "show", LETTER[:8], "--raw", "--as", "Li Wei", "--reason", "x")[0] == 1
    number = "of 99068219860520031X"
    assert hub("dlq", "show", LETTER[:8], "--raw", "--as", "li", "--reason", number)[0] == 1


def test_dead_letters_are_grouped_and_a_dry_run_sends_nothing(hub, letter, sql_row):
    _, out, _ = hub("dlq", "list", "--group", "--json")
    found = [row for row in json.loads(out) if row["source"] == "village"]
    assert [(row["code"], row["schema"], row["count"]) for row in found] == [
        ("E-ID-CHECK", "raw", 1)
    ]
    assert hub("dlq", "redrive")[0] == 1
    code, out, _ = hub("dlq", "redrive", LETTER[:8], "--json")
    plan = json.loads(out)
    assert (code, plan["codes"]) == (0, {"E-ID-CHECK": 1})
    assert plan["routing"][0]["to"] == "cli-test-event.need/0"
    assert "operation" not in plan
    assert sql_row("SELECT count(*) FROM operation") == (0,)
    code, _, err = hub("dlq", "redrive", LETTER[:8], "--apply")
    assert (code, "--as" in err) == (1, True)
    # What is chosen by a filter in vain is no error.
    _, out, _ = hub("dlq", "redrive", "--code", "E-DATE", "--since", "2025-04-01")
    assert "演示:将重投 0 条" in out
    assert hub("dlq", "redrive", "--code", "E-DATE", "--since", "then")[0] == 1


def test_one_record_is_redriven_by_one_person_and_shown_among_the_operations(hub, letter):
    code, out, _ = hub("dlq", "redrive", LETTER, "--apply", "--as", "li", "--reason", "mended")
    assert code == 0, out
    _, out, _ = hub("approvals", "list", "--all", "--json")
    found = json.loads(out)[0]
    assert (found["state"], found["done"], found["asked_by"]) == ("done", 1, "li")
    _, out, _ = hub("approvals", "show", found["id"][:8], "--json")
    assert json.loads(out)["items"][0]["result"].startswith("cli-test-event.need/0/")
    assert "没有未结束的操作" in hub("approvals", "list")[1]
    assert hub("approvals", "stop", found["id"], "--as", "li")[0] == 1
    code, _, err = hub("approvals", "approve", "ffffffff", "--as", "li", "--reason", "x")
    assert (code, "hub approvals list" in err) == (1, True)


def test_claims_are_shown_held_moved_and_let_go(hub, sql, sql_row, tmp_path):
    sql("INSERT INTO partition_claim VALUES ('cli-test-event.job', 0, 3, 'w', 0, 0)")
    _, out, _ = hub("offsets", "show", "event.job", "--json")
    shown = json.loads(out)[0]
    assert (shown["next_offset"], shown["end"], shown["lag"], shown["held_by"]) == (0, 0, 0, None)
    assert hub("offsets", "hold", "event.nothing", "--as", "li", "--reason", "x")[0] == 1
    code, _, err = hub(
        "offsets",
        "move",
        "event.job/0",
        "--to",
        "earliest",
        "--apply",
        "--as",
        "li",
        "--reason",
        "x",
    )
    assert (code, "hub offsets hold" in err) == (1, True)
    assert hub("offsets", "hold", "event.job/0", "--as", "li", "--reason", "rerun")[0] == 0
    assert hub("offsets", "hold", "event.job/0", "--as", "li", "--reason", "rerun")[0] == 1
    file = tmp_path / "moves.csv"
    file.write_text("topic,partition,offset\nevent.job,0,earliest\n", "utf-8")
    code, out, _ = hub("offsets", "move", "event.job", "--to", str(file), "--json")
    assert (code, json.loads(out)[0]["new"], json.loads(out)[0]["held_by"]) == (0, 0, "li")
    words = ("--to", "earliest", "--apply", "--as", "li", "--reason", "rerun")
    assert hub("offsets", "move", "event.job", *words)[0] == 0
    assert hub("offsets", "move", "event.job", "--to", str(tmp_path / "none.csv"))[0] == 1
    assert hub("offsets", "release", "event.job", "--as", "li", "--reason", "done")[0] == 0
    count = sql_row("SELECT count(*) FROM audit WHERE kind LIKE 'offsets.%' AND actor = 'li'")
    assert count == (3,)


def test_a_replay_is_a_shadow_first(hub):
    assert hub("replay")[0] == 1
    code, out, _ = hub("replay", "--topic", "event.job", "--json")
    found = json.loads(out)
    assert (code, found["events"], found["programs"]) == (0, 0, {})
    assert found["version"]
    assert "演示:未写入、未发送" in hub("replay", "--type", "category.granted")[1]
    code, _, err = hub("replay", "--topic", "event.job", "--apply", "--as", "li", "--reason", "x")
    assert (code, "没有可重放的事件" in err) == (1, True)
    assert hub("replay", "--operation", "ffffffff", "--as", "li")[0] == 1


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
