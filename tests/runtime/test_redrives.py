"""Redrives on a hub with the real wiring, its own topics and a worker process that may be killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import replace

import aiokafka
import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.contracts.codecs import decode_event
from hub.contracts.declarations import read
from hub.contracts.replay_marks import ReplayKey
from hub.intake.rehearsals import Fixtures
from hub.kernel.errors import DataError, HubError
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.runtime.clients import producer
from hub.runtime.edits import Editor
from hub.runtime.items import Item, dead_letter
from hub.runtime.originals import log
from hub.runtime.redrives import Redriver
from hub.runtime.services import Worker
from hub.runtime.wiring import wire
from hub.sdk.manifests import load_manifests
from hub.store import dead_letter_index, operations
from hub.store.connections import connect
from hub.store.dead_letter_index import Filter
from hub.store.dead_letters import write

RAW = "in.health.admissions"
TOPICS = (RAW, f"dlq.hub.{RAW}", "event.health", "event.record")
LETTERS = "SELECT count(*) FROM dead_letter"


class City:
    """A hub, its worker inside this process, and what a department sends."""

    def __init__(self, kafka, dsn, folder):
        self.settings = Settings(
            kafka=kafka, database=dsn, data_dir=folder, synthetic_people=True, partitions=2,
            topic_prefix=f"r{os.urandom(4).hex()}-",
        )  # fmt: skip
        self.secrets = Secrets.load(self.settings)
        self.wiring = replace(wire(self.settings, self.secrets), topics=TOPICS)
        self.marks = ReplayKey(self.secrets.k_uid)
        self.died = []
        manifest = load_manifests(self.settings)["health"]
        path = manifest.folder / "fixtures" / "admissions.yaml"
        self.example = dict(read(path, Fixtures).good[0].raw)
        self.clock = 1_743_500_000_000

    async def open(self):
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.kafka)
        await admin.start()
        await admin.create_topics([NewTopic(self.settings.wire(name), 2, 1) for name in TOPICS])
        await admin.close()
        self.db = await connect(self.settings.database)
        self.producer = producer(self.settings.kafka)
        await self.producer.start()
        self._logs = log(self.settings.kafka)
        self.log = await self._logs.__aenter__()
        self.redriver = Redriver(self.db, self.log, self.settings, lambda: self.clock)

    async def close(self):
        await self._logs.__aexit__(None, None, None)
        await self.producer.stop()
        await self.db.close()

    def worker(self):
        return Worker(
            self.settings, self.wiring, stages=("intake", "decide"), fatal=self.died.append
        )

    async def send(self, *rows, headers=()):
        for row in rows:
            value = row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode()
            await self.producer.send_and_wait(
                self.settings.wire(RAW), value, key=b"k" * 16, partition=1, headers=list(headers)
            )

    def bad(self, number):
        return {**self.example, "登记流水号": f"B-{number}", "证件号码": "990682198605200310"}

    async def until(self, sql, wanted):
        found = None
        for _ in range(400):
            found = await self.db.fetchval(sql)
            if found == wanted:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{sql}: {found}, not {wanted}; {self.died}")

    async def plan(self, **values):
        return await self.redriver.plan(await self.redriver.chosen(Filter(**values)))

    async def run(self, operation, **values):
        return await self.redriver.run(operation, self.producer, self.marks, "li", **values)


@pytest.fixture
async def city(kafka, migrated, fresh_database, tmp_path):
    made = City(kafka, await fresh_database(migrated), tmp_path)
    await made.open()
    yield made
    await made.close()


async def test_a_redriven_record_fails_again_under_its_first_failure_until_it_is_quarantined(city):
    async with city.worker():
        await city.send(city.bad(1))
        await city.until(LETTERS, 1)
        first = await city.db.fetchrow("SELECT * FROM dead_letter")
        for count in (1, 2, 3):
            plan = await city.plan()
            assert plan.refused == {}
            assert [line.target for line in plan.sent] == [(city.settings.wire(RAW), 1)]
            assert plan.codes == {"E-ID-CHECK": 1}
            city.clock += 1000
            operation = await city.redriver.ask(plan, person="li", reason="test", rate=1000)
            done = await city.run(operation)
            assert (done.state, done.done, done.skipped) == ("done", 1, 0)
            await city.until("SELECT attempts FROM dead_letter", count + 1)
        again = await city.db.fetchrow("SELECT * FROM dead_letter")
        assert again["id"] == first["id"]
        assert again["first_failed_at"] == first["first_failed_at"]
        assert again["failed_at"] > first["failed_at"]
        assert (again["state"], again["replays"]) == ("quarantined", 3)
        refused = (await city.plan(state=None)).refused
        assert [why.key for why in refused] == ["quarantined"]
    kinds = await city.db.fetch("SELECT kind, count(*) FROM audit WHERE actor = 'li' GROUP BY 1")
    assert dict(map(tuple, kinds)) == {"operation.asked": 3, "operation.running": 3, "redrive": 3}
    assert city.died == []


async def test_headers_of_a_department_cannot_touch_another_dead_letter(city):
    async with city.worker():
        await city.send(city.bad(1))
        await city.until(LETTERS, 1)
        other = await city.db.fetchval("SELECT id FROM dead_letter")
        forged = [(f"hub.dlq.{name}", other.encode()) for name in ("id", "replay-of")]
        await city.send(city.bad(2), headers=[*forged, ("hub.dlq.replay-count", b"1")])
        await city.until(LETTERS, 2)
    assert await city.db.fetchval("SELECT attempts FROM dead_letter WHERE id = $1", other) == 1


async def test_several_take_a_second_person_and_go_on_after_a_pause(city):
    async with city.worker():
        await city.send(*(city.bad(n) for n in range(4)))
        await city.until(LETTERS, 4)
    operation = await city.redriver.ask(await city.plan(), person="li", reason="all", rate=1000)
    assert (operation.state, operation.two_persons) == ("asked", True)
    with pytest.raises(HubError, match="approve it first"):
        await city.run(operation)
    with pytest.raises(HubError, match="cannot approve"):
        await operations.judge(city.db, operation, "li", approved=True, reason="me", now=1)
    await operations.judge(city.db, operation, "wang", approved=True, reason="looked", now=1)

    def told(item, result):
        if item.n == 2:
            pausing.append(asyncio.ensure_future(pause()))

    async def pause():
        other = await connect(city.settings.database)
        await operations.turn(other, operation, "paused", "wang", now=2)
        await other.close()

    pausing = []
    operation.rate = 5
    paused = await city.run(operation, told=told)
    await asyncio.gather(*pausing)
    assert (paused.state, paused.done) == ("paused", 2)
    done = await city.run(paused)
    assert (done.state, done.done) == ("done", 4)
    approved = await city.db.fetchval(
        "SELECT doc->>'approved_by' FROM audit WHERE kind = 'redrive' LIMIT 1"
    )
    assert approved == "wang"


async def test_the_store_refuses_an_approval_of_ones_own_and_a_start_without_one(city):
    async with city.worker():
        await city.send(city.bad(1), city.bad(2))
        await city.until(LETTERS, 2)
    operation = await city.redriver.ask(await city.plan(), person="li", reason="all")
    for sql in (
        "INSERT INTO approval VALUES ($1, 'li', 'li', 'approved', 'x', 1)",
        "INSERT INTO approval VALUES ($1, 'wu', 'li', 'approved', 'x', 1)",
        "UPDATE operation SET state = 'running' WHERE id = $1",
        "UPDATE operation SET approved_by = 'wang', state = 'ready' WHERE id = $1",
        "UPDATE operation SET two_persons = false WHERE id = $1",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await city.db.execute(sql, operation.id)


async def test_an_edit_passes_the_mapping_or_is_refused_and_takes_a_second_person(city):
    editor = Editor(city.wiring, city.settings)
    async with city.worker():
        await city.send(city.bad(1))
        await city.until(LETTERS, 1)
        plan = await city.plan()
        ask = {"person": "li", "reason": "typing error", "editor": editor}
        with pytest.raises(DataError, match="E-ID-CHECK"):
            await city.redriver.ask(plan, edited=json.dumps(city.bad(1)).encode(), **ask)
        other = {**city.example, "登记流水号": "B-9"}
        with pytest.raises(DataError, match="key of the record"):
            await city.redriver.ask(plan, edited=json.dumps(other).encode(), **ask)
        good = {**city.example, "登记流水号": "B-1"}
        operation = await city.redriver.ask(plan, edited=json.dumps(good).encode(), **ask)
        assert (operation.two_persons, operation.spec["changed"]) == (True, ["证件号码"])
        await operations.judge(city.db, operation, "wang", approved=True, reason="seen", now=1)
        await city.run(operation)
        await city.until("SELECT state FROM dead_letter", "settled")
    assert await city.db.fetchval("SELECT edited FROM operation_item") is None
    assert await city.db.fetchval("SELECT count(*) FROM seen_event WHERE type LIKE 'health%'") == 1


async def test_a_run_killed_after_a_send_goes_on_and_counts_nothing_twice(city):
    async with city.worker():
        await city.send(*(city.bad(n) for n in range(3)))
        await city.until(LETTERS, 3)
    operation = await city.redriver.ask(await city.plan(), person="li", reason="all", rate=1000)
    await operations.judge(city.db, operation, "wang", approved=True, reason="looked", now=1)
    environ = {f"HUB_{k.upper()}": str(v) for k, v in city.settings.model_dump().items() if v}
    words = ("approvals", "run", operation.id, "--as", "li")
    for failpoints, code in (("redrive.published:2", -9), ("", 0)):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub.cli.main", *words,
            env=os.environ | environ | {"HUB_SYNTHETIC_PEOPLE": "1", "HUB_FAILPOINTS": failpoints},
        )  # fmt: skip
        assert await asyncio.wait_for(process.wait(), 60) == code
    done = await operations.found(city.db, operation.id)
    assert (done.state, done.done) == ("done", 3)
    replays = await city.db.fetch("SELECT replays FROM dead_letter")
    assert [row[0] for row in replays] == [1, 1, 1]
    end = (await city.log.bounds(city.settings.wire(RAW), 1))[1]
    assert end == 3 + 3 + 1  # one record was sent twice
    async with city.worker():
        await city.until("SELECT min(attempts) FROM dead_letter", 2)
    assert await city.db.fetchval(LETTERS) == 3


async def test_what_decide_refused_goes_back_to_its_own_topic_and_is_settled_there(city):
    async with city.worker():
        await city.send({**city.example, "登记流水号": "B-1"})
        await city.until("SELECT count(*) FROM seen_event WHERE disposition <> 'dead_letter'", 1)
    row = await city.db.fetchrow("SELECT * FROM seen_event")
    topic = city.settings.wire("event.health")
    record = await city.log.at(topic, row["part"], row["off"])
    item = Item(topic, row["part"], row["off"], record, decode_event(record.value))
    await write(city.db, [dead_letter(item, DataError("E-BUG"), 1)])
    await city.db.execute("UPDATE seen_event SET disposition = 'dead_letter'")
    plan = await city.plan()
    assert [line.target for line in plan.sent] == [(topic, row["part"])]
    async with city.worker():
        await city.run(await city.redriver.ask(plan, person="li", reason="mended"))
        await city.until("SELECT state FROM dead_letter", "settled")
    letters = await dead_letter_index.groups(city.db, Filter(state=None))
    assert [(one.code, one.source, one.count) for one in letters] == [("E-BUG", "health", 1)]
    assert await city.db.fetchval("SELECT count(*) FROM seen_event") == 1


async def test_a_consumer_of_the_dead_letter_topic_finds_what_the_index_tells(city):
    async with city.worker():
        await city.send(city.bad(1))
        await city.until(LETTERS, 1)
    consumer = aiokafka.AIOKafkaConsumer(
        city.settings.wire(f"dlq.hub.{RAW}"), bootstrap_servers=city.settings.kafka,
        auto_offset_reset="earliest",
    )  # fmt: skip
    await consumer.start()
    record = await asyncio.wait_for(consumer.getone(), 10)
    await consumer.stop()
    (letter,) = await dead_letter_index.find(city.db, Filter())
    assert dict(record.headers)["hub.dlq.id"] == letter.id.encode()
    found = await city.redriver.content(letter)
    assert found.value == record.value
    assert (await dead_letter_index.by_ids(city.db, [letter.id]))[0].letter_off == record.offset
