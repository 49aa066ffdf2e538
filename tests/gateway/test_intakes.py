from __future__ import annotations

import json

import pytest

HOSPITALISED = {
    "report_no": "W-1",
    "kind": "need",
    "on": "2025-03-01",
    "id_number": "990682199001011236",
    "name": "张三",
    "village": "320682001001",
    "urgency": "urgent",
    "need": "illness",
}


async def test_health_is_told_without_a_key(door):
    async with door.client() as client:
        assert (await client.get("/health")).json() == {"status": "ok"}
        ready = await client.get("/ready")
        assert ready.json() == {"broker": True, "database": True}
        text = (await client.get("/metrics")).text
        assert "hub_gateway_request_seconds_bucket" in text


async def test_a_record_is_answered_once_the_broker_holds_it(door):
    async with door.client("department:village") as client:
        answer = await client.post("/in/village/reports", json=HOSPITALISED)
    assert answer.status_code == 202, answer.text
    assert int(answer.headers["RateLimit-Remaining"]) > 0
    found = {
        dict(record.headers)["ce_id"].decode(): record
        for record in await door.records("in.village.reports")
    }
    record = found[answer.json()["ce_id"]]
    assert json.loads(record.value) == HOSPITALISED
    headers = {name: value.decode() for name, value in record.headers}
    assert headers["ce_authtype"] == "api_key"
    assert headers["ce_authid"] == "department:village"
    assert headers["ce_type"] == "in.village.reports"


async def test_the_same_record_sent_twice_has_one_number(door):
    async with door.client("department:village") as client:
        one, two = [await client.post("/in/village/reports", json=HOSPITALISED) for _ in range(2)]
    assert one.json() == two.json()


@pytest.mark.parametrize(
    ("principal", "path", "body", "status", "code"),
    [
        (None, "/in/village/reports", {}, 401, None),
        ("department:health", "/in/village/reports", {}, 403, "E-SENDER"),
        ("program:medical-aid", "/in/village/reports", {}, 403, "E-SENDER"),
        ("department:village", "/in/village/nothing", {}, 404, None),
        ("department:health", "/in/health/admissions", {}, 404, None),
        ("department:village", "/in/village/reports", {"report_no": "1"}, 422, "E-FIELD-MISSING"),
        (
            "department:village",
            "/in/village/reports",
            HOSPITALISED | {"name": 7},
            422,
            "E-FIELD-TYPE",
        ),
    ],
)
async def test_a_refusal_says_what_to_do_in_both_languages(
    door, principal, path, body, status, code
):
    async with door.client(principal) as client:
        answer = await client.post(path, json=body)
    problem = answer.json()
    assert (answer.status_code, problem.get("code")) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["title_zh"]
    assert problem["do_en"]


async def test_what_is_no_json_is_refused_at_once(door):
    async with door.client("department:village") as client:
        headers = {"content-type": "application/json"}
        broken = await client.post("/in/village/reports", content=b"{", headers=headers)
        text = await client.post(
            "/in/village/reports", content=b"x", headers={"content-type": "text/plain"}
        )
        empty = await client.post("/in/village/reports", content=b" ", headers=headers)
    assert [answer.status_code for answer in (broken, text, empty)] == [400, 415, 400]
    assert broken.json()["code"] == "E-JSON"


async def test_a_wrong_field_is_named_and_its_value_is_not_told(door):
    async with door.client("department:village") as client:
        answer = await client.post(
            "/in/village/reports", json=HOSPITALISED | {"phone": 13800138000}
        )
    assert answer.json()["field"] == "phone"
    assert "13800138000" not in answer.text


async def test_a_body_over_the_limit_leaves_a_dead_letter_with_its_digest(door):
    body = json.dumps(HOSPITALISED | {"note": "长" * 9000}).encode()
    async with door.client("department:village") as client:
        answer = await client.post(
            "/in/village/reports", content=body, headers={"content-type": "application/json"}
        )
    assert answer.status_code == 413
    digest = answer.json()["digest"]
    on_wire = [
        json.loads(record.value) for record in await door.records("dlq.hub.in.village.reports")
    ]
    assert f"sha256:{digest}" in {letter["digest"] for letter in on_wire}
    row = await door.db.fetchrow(
        "SELECT * FROM dead_letter WHERE code = 'E-TOO-LARGE' AND detail LIKE '%' || $1", digest
    )
    assert (row["source"], row["stage"], row["value"], row["state"]) == (
        "village",
        "edge",
        None,
        "open",
    )


@pytest.mark.parametrize("lines", [True, False])
async def test_a_batch_is_answered_row_by_row(door, lines):
    rows = [
        HOSPITALISED | {"report_no": "W-2"},
        {"report_no": "W-3"},
        HOSPITALISED | {"report_no": "W-4"},
    ]
    content = (
        b"\n".join(json.dumps(row).encode() for row in rows) if lines else json.dumps(rows).encode()
    )
    kind = "application/x-ndjson" if lines else "application/json"
    async with door.client("department:village") as client:
        answer = await client.post(
            "/in/village/reports", content=content, headers={"content-type": kind}
        )
    document = answer.json()
    assert answer.status_code == 202
    assert (document["accepted"], document["rejected"]) == (2, 1)
    assert [row["status"] for row in document["rows"]] == [202, 422, 202]
    kept = {
        dict(record.headers)["ce_id"].decode()
        for record in await door.records("in.village.reports")
    }
    assert {row["ce_id"] for row in document["rows"] if "ce_id" in row} <= kept


async def test_the_published_schema_needs_no_key(door):
    async with door.client() as client:
        schema = (await client.get("/in/village/reports/schema")).json()
    assert schema["$schema"].endswith("2020-12/schema")
    assert "report_no" in json.dumps(schema)
