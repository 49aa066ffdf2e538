"""The guides are followed word for word in a copy of the checkout, then the hub is run from it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from contextlib import asynccontextmanager

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from hub.embedded.databases import drop_database, make_database
from hub.kernel.clocks import SystemClock
from hub.kernel.person_keys import RouteKey
from hub.sdk.manifests import load_manifests
from hub.transports.records import Feed, RecordMaker
from tests.docs.guides import Checkout

PREFIX = "guides."
PREPARE = """\
import asyncio, sys
from hub.cli.dev import prepare
from hub.kernel.settings import settings
asyncio.run(prepare(settings(), settings().kafka, settings().database))
"""
"""What ``hub dev`` does before it starts the worker."""
GRANT = {
    "recordNo": "GUIDE-1", "version": 1, "status": "NEW", "action": "GRANT", "familyNo": "H-0199",
    "person": {"idCard": "990682198605200316", "name": "李强"}, "category": "低保",
    "subtype": "RURAL", "scope": "HOUSEHOLD", "effectiveDate": "2025-02-10",
    "members": [{"idCard": "990682198605200316", "name": "李强", "relation": "head"}],
    "area": "320682001", "operatedAt": "2025-02-10T09:00:00+08:00",
}  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    made = Checkout(tmp_path_factory.mktemp("checkout"))
    made.follow("connector.md")
    made.follow("program.md")
    return made


def test_the_new_connector_and_the_new_program_are_found(checkout):
    connectors = json.loads(checkout.hub("connectors", "check", "--json"))
    assert connectors["findings"] == []
    known = json.loads(checkout.hub("connectors", "list", "--json"))
    assert "disabled-federation" in {item["connector"] for item in known}
    topics = json.loads(checkout.hub("topics", "list", "--json"))
    assert {"in.disabled-federation.visits", "program.rehab-aid.inbox"} <= {
        topic["name"] for topic in topics
    }


def test_the_copy_s_schema_holds_what_was_granted_and_nothing_else(checkout):
    schema = checkout.folder / "schemas" / "programs" / "rehab-aid.avsc"
    fields = {field["name"] for field in json.loads(schema.read_text())["fields"]}
    pseudonyms = {"envelope", "person_ref", "household_ref"}
    assert fields == pseudonyms | {"area", "decision", "id", "category", "need"}


def test_neither_guide_changes_the_engine(checkout):
    folders = ("connectors/disabled_federation/", "hub/profiles/", "schemas/", "topics/")
    assert {name for name in checkout.changed() if not name.startswith(folders)} == set()


@asynccontextmanager
async def running(checkout: Checkout, *words: str):
    """A process until the end of the block; what it says goes to ``said.txt``."""
    with (checkout.folder / "said.txt").open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=checkout.folder, env=checkout.environment,
            stdout=asyncio.subprocess.PIPE, stderr=said,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await process.wait()


async def grant(checkout: Checkout, kafka: str) -> None:
    """Civil affairs grants a category, as its own connector would publish it."""
    item = load_manifests()["civil-affairs"].item("categories")
    key = (checkout.folder / ".hub" / "secrets" / "k_route").read_text()
    maker = RecordMaker(Feed.of(item, 1_000_000), RouteKey(bytes.fromhex(key)), SystemClock())
    record = maker.of_body(json.dumps(GRANT).encode())
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(
            PREFIX + record.topic, record.value, key=record.key, headers=list(record.headers)
        )


async def until_accepted(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        query = "SELECT count(*) FROM referral WHERE program = 'rehab-aid' AND state = 'accepted'"
        while not await connection.fetchval(query):  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.1)
    finally:
        await connection.close()


@pytest.mark.embedded
@pytest.mark.slow
async def test_a_row_of_the_new_department_reaches_the_new_program(checkout, kafka, database):
    dsn = await make_database(database)
    checkout.environment |= {
        "HUB_KAFKA": kafka, "HUB_DATABASE": dsn, "HUB_TOPIC_PREFIX": PREFIX,
        "HUB_PARTITIONS": "1", "HUB_LANES": "1",
    }  # fmt: skip
    await asyncio.to_thread(checkout.python, "-c", PREPARE)
    (dropped,) = (checkout.folder / ".hub").glob("connectors/*/inbox/*.csv")
    dropped.with_name(f"{dropped.name}.ok").touch()
    run = ("connectors", "run", "disabled-federation", "--once")
    await asyncio.gather(asyncio.to_thread(checkout.hub, *run), grant(checkout, kafka))
    async with (
        running(checkout, "-m", "hub.cli.main", "worker"),
        running(checkout, "rehab.py") as program,
    ):
        assert program.stdout is not None
        async with asyncio.timeout(60):
            lines = [(await program.stdout.readline()).decode() for _ in range(2)]
            await until_accepted(dsn)
    assert [re.match(r"\d+", line)[0] for line in lines] == ["1", "2"]
    (told,) = (line for line in lines if "need.discovered" in line)
    assert "'need_kind': 'care'" in told
    assert "referral.created" in "".join(lines)
    letters = json.loads(checkout.hub("dlq", "list", "--json"))
    assert [letter["code"] for letter in letters] == ["E-ID-CHECK"]
    assert list((checkout.folder / ".hub").glob("connectors/*/rejects/*"))
    await drop_database(database, dsn)
