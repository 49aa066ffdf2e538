"""Running a connector: every way at once, an outage held out, an orderly end."""

import asyncio
import os
import secrets
import sys
from asyncio.subprocess import PIPE

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from conftest import ROUTE, make_topics, read_topic
from structlog.testing import capture_logs

from hub.kernel.clocks import SystemClock
from hub.kernel.errors import ConfigurationError, HubError
from hub.sdk.manifests import load_manifest, shipped_folder
from hub.transports.cursors import FileCursors
from hub.transports.publishers import Publisher
from hub.transports.runners import ConnectorRunner, Sources, Surroundings, check_of

MANIFEST = """
id: health
zh: 卫健委
en: Health commission
division: "320682"
items:
  - id: stays
    zh: 住院
    en: Stays
    ways: [view, file, queue, rest]
    topic: {topic}
    events: [health.hospitalized]
    mapping: stay
    key: stay_no
    person: id_number
    version: content_hash
    refresh: {{every: PT1H}}
    legal_basis: 办法
    purpose: 救助
    catalog_id: 320682/health/1
    view: {{table: stays, key: [stay_no], order: updated, order_kind: timestamp, overlap: PT5M}}
    file: {{pattern: "*.csv", columns: {{stay_no: [住院号], id_number: [身份证号]}}}}
    queue: {{topic: {queue}}}
    rest: {{path: /stays}}
"""
MAPPINGS = """
import msgspec
from hub.kernel.errors import DataError
from hub.sdk.observations import Observation


class Stay(msgspec.Struct):
    stay_no: str
    id_number: str | None = None


def stay(raw: Stay) -> Observation:
    if raw.stay_no == "bad":
        raise DataError("E-DATE", "stay_no")
    if raw.stay_no == "bug":
        raise ZeroDivisionError
    raise SystemExit if raw.stay_no == "never" else DataError("E-CODE-UNKNOWN", "stay_no")
"""


class Site:
    def __init__(self, folder, kafka, dsn, sink, manifest):
        self.folder, self.kafka, self.dsn, self.sink = folder, kafka, dsn, sink
        self.manifest = manifest
        self.item = manifest.items[0]

    def runner(self, **sources):
        around = Surroundings(
            self.sink,
            FileCursors(self.folder / "cursors"),
            ROUTE,
            SystemClock(),
            synthetic=True,
            settle=0.02,
        )
        return ConnectorRunner(self.manifest, Sources(**sources), around)

    def everything(self):
        return {"database": self.dsn, "kafka": self.kafka, "folder": self.folder / "drop"}

    async def arrived(self):
        return {one.row["stay_no"] for one in await read_topic(self.kafka, self.item.topic)}


async def until(true):
    while not true():  # noqa: ASYNC110 - the runner tells by its counters only
        await asyncio.sleep(0.02)


@pytest.fixture
async def site(kafka, fresh_database, tmp_path):
    topic, queue = f"in.health.{secrets.token_hex(4)}", f"hospital.{secrets.token_hex(4)}"
    await make_topics(kafka, topic, queue)
    (tmp_path / "manifest.yaml").write_text(MANIFEST.format(topic=topic, queue=queue))
    (tmp_path / "mappings.py").write_text(MAPPINGS)
    dsn = await fresh_database()
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE stays (stay_no text, updated timestamptz)")
    await connection.execute("INSERT INTO stays VALUES ('v1', now())")
    await connection.close()
    (tmp_path / "drop" / "inbox").mkdir(parents=True)
    (tmp_path / "drop" / "inbox" / "a.csv").write_text("住院号,身份证号\nf1,\nbad,\n")
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    await producer.send_and_wait(queue, b'{"stay_no": "q1"}')
    await producer.stop()
    async with Publisher(kafka, "dept.health") as sink:
        yield Site(tmp_path, kafka, dsn, sink, load_manifest(tmp_path))


async def test_one_run_reads_every_way_of_an_item(site):
    runner = site.runner(**site.everything())
    await runner.run(asyncio.Event(), once=True)
    assert await site.arrived() == {"v1", "f1", "bad", "q1"}
    assert runner.counters["stays", "view", "sent"] == 1
    assert runner.counters["stays", "queue", "sent"] == 1
    assert runner.counters["stays", "file", "rows"] == 2
    assert runner.counters["stays", "file", "rejected"] == 2


async def test_a_file_that_fits_no_item_is_told_once_without_its_name(site):
    (site.folder / "drop" / "inbox" / "王某.docx").write_text("?")
    runner = site.runner(folder=site.folder / "drop")
    with capture_logs() as logs:
        await runner.run(asyncio.Event(), once=True)
        await runner.run(asyncio.Event(), once=True)
    told = [entry for entry in logs if entry["event"] == "files_of_no_item"]
    assert [entry["files"] for entry in told] == [1]
    assert "王某" not in str(logs)


async def test_it_polls_until_told_to_stop(site):
    stop = asyncio.Event()
    runner = site.runner(**site.everything())
    running = asyncio.create_task(runner.run(stop, every=0.02))
    connection = await asyncpg.connect(site.dsn)
    await until(lambda: runner.counters["stays", "view", "polls"] > 1)
    await connection.execute("INSERT INTO stays VALUES ('v2', now())")
    await connection.close()
    await until(lambda: runner.counters["stays", "view", "sent"] > 1)
    stop.set()
    await running
    assert "v2" in await site.arrived()


async def test_a_source_that_comes_back_is_read_and_others_go_on_meanwhile(site):
    connection = await asyncpg.connect(site.dsn)
    await connection.execute("ALTER TABLE stays RENAME TO away")
    stop = asyncio.Event()
    runner = site.runner(database=site.dsn, kafka=site.kafka)
    running = asyncio.create_task(runner.run(stop, every=0.02))
    await until(lambda: runner.counters["stays", "view", "errors"])
    await until(lambda: runner.counters["stays", "queue", "sent"])
    await connection.execute("ALTER TABLE away RENAME TO stays")
    await connection.close()
    await until(lambda: runner.counters["stays", "view", "sent"])
    stop.set()
    await running
    assert await site.arrived() == {"v1", "q1"}


async def test_one_run_tells_what_an_item_failed_with(site):
    connection = await asyncpg.connect(site.dsn)
    await connection.execute("DROP TABLE stays")
    await connection.close()
    with pytest.raises(ConfigurationError, match="stays"):
        await site.runner(database=site.dsn).run(asyncio.Event(), once=True)


async def test_a_connector_without_any_source_says_what_to_name(site):
    with pytest.raises(HubError, match="Nothing of the connector health"):
        await site.runner().run(asyncio.Event(), once=True)


@pytest.mark.parametrize(
    ("value", "code"),
    [(b'{"stay_no": "bad"}', "E-DATE"), (b"{", "E-JSON"), (b'{"stay_no": "bug"}', "E-BUG")],
)
async def test_a_check_gives_what_intake_would_say(site, department, value, code):
    with pytest.raises(Exception, match=code):
        check_of(site.manifest, site.item)(department.maker.of_body(value))


async def test_the_command_reads_a_list_of_a_shipped_connector(kafka, tmp_path):
    item = load_manifest(shipped_folder() / "education").items[0]
    await make_topics(kafka, item.topic)
    titles = [*item.file.columns]
    (tmp_path / "drop" / "inbox").mkdir(parents=True)
    (tmp_path / "drop" / "inbox" / "学籍.csv").write_text(
        ",".join(titles) + "\n" + ",".join("1" for _ in titles) + "\n"
    )
    (tmp_path / "drop" / "inbox" / "学籍.csv.ok").touch()
    code = "import typer; from hub.cli.connector_run import run; typer.run(run)"
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-c", code, "education", "--once", "--json"],
        *["--folder", str(tmp_path / "drop")],
        env=os.environ
        | {"HUB_KAFKA": kafka, "HUB_DATA_DIR": str(tmp_path), "HUB_SYNTHETIC_PEOPLE": "1"},
        stdout=PIPE,
    )
    told, _ = await process.communicate()
    counters = {one["counter"]: one["value"] for one in orjson.loads(told)}
    assert process.returncode == 0
    assert counters == {"files": 1, "polls": 1, "rejected": 1, "rows": 1}
    (only,) = await read_topic(kafka, item.topic)
    assert only.row[titles[0]] == "1"
